// bzip2, one stream.
#include <bzlib.h>

#include <new>

#include "hrvm/base/error.hpp"
#include "probe/initramfs/decoder.hpp"

namespace hrvm::probe {
namespace {

class Bzip2 : public Decoder {
 public:
  explicit Bzip2(ByteStream& packed) : Decoder(packed) {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  ~Bzip2() override { BZ2_bzDecompressEnd(&stream_); }
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;

 private:
  Step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    // The library does not write there, but takes no const.
    stream_.next_in = static_cast<char*>(const_cast<void*>(static_cast<const void*>(in.data())));
    stream_.avail_in = unsigned(in.size());
    stream_.next_out = static_cast<char*>(static_cast<void*>(out.data()));
    stream_.avail_out = unsigned(out.size());
    const int result = BZ2_bzDecompress(&stream_);
    if (result != BZ_OK && result != BZ_STREAM_END)
      throw base::Error(base::ErrorKind::corrupt, "a bzip2 stream is broken");
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, result == BZ_STREAM_END};
  }

  bz_stream stream_{};
};

}  // namespace

std::unique_ptr<ByteStream> decode_bzip2(ByteStream& packed) { return std::make_unique<Bzip2>(packed); }

}  // namespace hrvm::probe
