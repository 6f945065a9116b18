// xz, one stream, and its forerunner LZMA_alone.
#include <lzma.h>

#include <new>

#include "hrvm/base/error.hpp"
#include "probe/initramfs/decoder.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

using Start = lzma_ret (*)(lzma_stream* stream);

lzma_ret start_xz(lzma_stream* stream) { return lzma_stream_decoder(stream, largest_window_bytes, 0); }
lzma_ret start_lzma(lzma_stream* stream) { return lzma_alone_decoder(stream, largest_window_bytes); }

class Lzma : public Decoder {
 public:
  Lzma(ByteStream& packed, Start start) : Decoder(packed) {
    if (start(&stream_) != LZMA_OK) throw std::bad_alloc();
  }
  ~Lzma() override { lzma_end(&stream_); }
  Lzma(const Lzma&) = delete;
  Lzma& operator=(const Lzma&) = delete;

 private:
  Step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    stream_.next_in = static_cast<const std::uint8_t*>(static_cast<const void*>(in.data()));
    stream_.avail_in = in.size();
    stream_.next_out = static_cast<std::uint8_t*>(static_cast<void*>(out.data()));
    stream_.avail_out = out.size();
    const lzma_ret result = lzma_code(&stream_, in.empty() ? LZMA_FINISH : LZMA_RUN);
    if (result == LZMA_MEMLIMIT_ERROR)
      throw Error(ErrorKind::unsupported, "an xz stream asks for a window of more than 128 MiB");
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
      throw Error(ErrorKind::corrupt, "an xz stream is broken");
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, result == LZMA_STREAM_END};
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

std::unique_ptr<ByteStream> decode_xz(ByteStream& packed) { return std::make_unique<Lzma>(packed, start_xz); }
std::unique_ptr<ByteStream> decode_lzma(ByteStream& packed) { return std::make_unique<Lzma>(packed, start_lzma); }

}  // namespace hrvm::probe
