// zstd, one frame.
#include <zstd.h>

#include <new>

#include "hrvm/base/error.hpp"
#include "probe/initramfs/decoder.hpp"

namespace hrvm::probe {
namespace {

constexpr int largest_window_log = 27;
static_assert(std::uint64_t{1} << largest_window_log == largest_window_bytes);

struct FreeZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class Zstd : public Decoder {
 public:
  explicit Zstd(ByteStream& packed) : Decoder(packed), context_(ZSTD_createDCtx()) {
    if (!context_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, largest_window_log);
  }

 private:
  Step decode(std::span<const std::byte> in, std::span<std::byte> out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const auto left = ZSTD_decompressStream(context_.get(), &to, &from);
    if (ZSTD_isError(left))
      throw base::Error(base::ErrorKind::corrupt, std::string("a zstd stream is broken: ") + ZSTD_getErrorName(left));
    return {from.pos, to.pos, left == 0};
  }

  std::unique_ptr<ZSTD_DCtx, FreeZstd> context_;
};

}  // namespace

std::unique_ptr<ByteStream> decode_zstd(ByteStream& packed) { return std::make_unique<Zstd>(packed); }

}  // namespace hrvm::probe
