// gzip (RFC 1952), one member.
#define ZLIB_CONST  // its input is const
#include <zlib.h>

#include <new>

#include "hrvm/base/error.hpp"
#include "probe/initramfs/decoder.hpp"

namespace hrvm::probe {
namespace {

constexpr int window_bits = 15, gzip_header = 16;

class Gzip : public Decoder {
 public:
  explicit Gzip(ByteStream& packed) : Decoder(packed) {
    if (inflateInit2(&stream_, window_bits + gzip_header) != Z_OK) throw std::bad_alloc();
  }
  ~Gzip() override { inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

 private:
  Step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    stream_.next_in = static_cast<const Bytef*>(static_cast<const void*>(in.data()));
    stream_.avail_in = uInt(in.size());
    stream_.next_out = static_cast<Bytef*>(static_cast<void*>(out.data()));
    stream_.avail_out = uInt(out.size());
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      throw base::Error(base::ErrorKind::corrupt, "a gzip stream is broken");
    return {in.size() - stream_.avail_in, out.size() - stream_.avail_out, result == Z_STREAM_END};
  }

  z_stream stream_{};
};

}  // namespace

std::unique_ptr<ByteStream> decode_gzip(ByteStream& packed) { return std::make_unique<Gzip>(packed); }

}  // namespace hrvm::probe
