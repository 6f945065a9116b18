#include "image/make/deflate.hpp"

#define ZLIB_CONST  // its input is const
#include <zlib.h>
#include <zstd.h>

#include <new>

namespace hrvm::image {
namespace {

constexpr int window_bits = -12;  // raw deflate, in the window that every reader of qcow2 has
constexpr int memory_level = 9;

struct EndDeflate {
  void operator()(z_stream* stream) const {
    deflateEnd(stream);
    delete stream;
  }
};
using DeflateStream = std::unique_ptr<z_stream, EndDeflate>;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
using ZstdContext = std::unique_ptr<ZSTD_CCtx, FreeZstd>;

DeflateStream make_deflate_stream() {
  auto stream = std::make_unique<z_stream>();
  const int result =
      deflateInit2(stream.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
  if (result != Z_OK) throw std::bad_alloc();
  return DeflateStream(stream.release());
}

ZstdContext make_zstd_context() {
  ZstdContext context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  return context;
}

// How much of `out` is filled; 0 when it does not fit.
std::size_t deflate_zlib(z_stream& stream, std::span<const std::byte> in, std::span<std::byte> out) {
  if (deflateReset(&stream) != Z_OK) return 0;
  stream.next_in = static_cast<const Bytef*>(static_cast<const void*>(in.data()));
  stream.avail_in = uInt(in.size());
  stream.next_out = static_cast<Bytef*>(static_cast<void*>(out.data()));
  stream.avail_out = uInt(out.size());
  return ::deflate(&stream, Z_FINISH) == Z_STREAM_END ? out.size() - stream.avail_out : 0;
}

std::size_t deflate_zstd(ZSTD_CCtx& context, std::span<const std::byte> in, std::span<std::byte> out) {
  const auto filled = ZSTD_compressCCtx(&context, out.data(), out.size(), in.data(), in.size(), ZSTD_CLEVEL_DEFAULT);
  return ZSTD_isError(filled) ? 0 : filled;
}

}  // namespace

struct Deflater::State {
  DeflateStream deflate;
  ZstdContext zstd;
};

Deflater::Deflater(Compression compression) : compression_(compression), state_(std::make_unique<State>()) {}
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater::~Deflater() = default;

std::vector<std::byte> Deflater::deflate(std::span<const std::byte> cluster) {
  std::vector<std::byte> out(cluster.size() - 1);
  if (compression_ == Compression::zlib) {
    if (!state_->deflate) state_->deflate = make_deflate_stream();
    out.resize(deflate_zlib(*state_->deflate, cluster, out));
  } else {
    if (!state_->zstd) state_->zstd = make_zstd_context();
    out.resize(deflate_zstd(*state_->zstd, cluster, out));
  }
  return out;
}

}  // namespace hrvm::image
