#include "image/qcow2/inflate.hpp"

#define ZLIB_CONST  // its input is const
#include <zlib.h>
#include <zstd.h>

#include <new>

namespace hrvm::image {
namespace {

constexpr int window_bits = -12;  // raw deflate with the window that QEMU writes

struct EndDeflate {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};
using DeflateStream = std::unique_ptr<z_stream, EndDeflate>;

struct FreeZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using ZstdContext = std::unique_ptr<ZSTD_DCtx, FreeZstd>;

DeflateStream make_deflate_stream() {
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), window_bits) != Z_OK) throw std::bad_alloc();
  return DeflateStream(stream.release());
}

ZstdContext make_zstd_context() {
  ZstdContext context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  return context;
}

// zlib's bytes are unsigned char.
const Bytef* bytes(std::span<const std::byte> in) {
  return static_cast<const Bytef*>(static_cast<const void*>(in.data()));
}
Bytef* bytes(std::span<std::byte> out) { return static_cast<Bytef*>(static_cast<void*>(out.data())); }

bool inflate_zlib(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out) {
  if (inflateReset(&stream) != Z_OK) return false;
  stream.next_in = bytes(in);
  stream.avail_in = uInt(in.size());
  stream.next_out = bytes(out);
  stream.avail_out = uInt(out.size());
  const int result = ::inflate(&stream, Z_FINISH);
  // With the cluster filled, the end of the stream may lie behind the input: QEMU counts it in whole sectors.
  return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

// Frame by frame, each at once into its place: so no window is allocated, whatever size a frame asks for.
bool inflate_zstd(ZSTD_DCtx& context, std::span<const std::byte> in, std::span<std::byte> out) {
  while (!out.empty()) {
    const auto frame = ZSTD_findFrameCompressedSize(in.data(), in.size());
    if (ZSTD_isError(frame)) return false;
    const auto filled = ZSTD_decompressDCtx(&context, out.data(), out.size(), in.data(), frame);
    if (ZSTD_isError(filled)) return false;
    in = in.subspan(frame);
    out = out.subspan(filled);
  }
  return true;
}

}  // namespace

struct Inflater::State {
  DeflateStream deflate;
  ZstdContext zstd;
};

Inflater::Inflater(Compression compression) : compression_(compression), state_(std::make_unique<State>()) {}
Inflater::~Inflater() = default;

bool Inflater::inflate(std::span<const std::byte> in, std::span<std::byte> out) {
  if (compression_ == Compression::zlib) {
    if (!state_->deflate) state_->deflate = make_deflate_stream();
    return inflate_zlib(*state_->deflate, in, out);
  }
  if (!state_->zstd) state_->zstd = make_zstd_context();
  return inflate_zstd(*state_->zstd, in, out);
}

}  // namespace hrvm::image
