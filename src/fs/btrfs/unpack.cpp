#include "fs/btrfs/unpack.hpp"

#define ZLIB_CONST  // its input is const
#include <lzo/lzo1x.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "fs/btrfs/format.hpp"

namespace hrvm::fs::btrfs {
namespace {

constexpr int largest_window_log = 17;  // ZSTD_BTRFS_MAX_WINDOWLOG

// The libraries' bytes are unsigned char.
const unsigned char* bytes(std::span<const std::byte> in) {
  return static_cast<const unsigned char*>(static_cast<const void*>(in.data()));
}
unsigned char* bytes(std::span<std::byte> out) { return static_cast<unsigned char*>(static_cast<void*>(out.data())); }

bool unpack_zlib(std::span<const std::byte> packed, std::span<std::byte> out) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  stream.next_in = bytes(packed);
  stream.avail_in = uInt(packed.size());
  stream.next_out = bytes(out);
  stream.avail_out = uInt(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool is_full = stream.avail_out == 0;
  std::ranges::fill(out.last(stream.avail_out), std::byte{0});
  inflateEnd(&stream);
  return result == Z_STREAM_END || (result == Z_BUF_ERROR && is_full);
}

struct FreeZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

bool unpack_zstd(std::span<const std::byte> packed, std::span<std::byte> out) {
  const std::unique_ptr<ZSTD_DCtx, FreeZstd> context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, largest_window_log);
  ZSTD_inBuffer from{packed.data(), packed.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (std::size_t left = 1; left != 0 && to.pos < to.size;) {
    const auto before = from.pos + to.pos;
    left = ZSTD_decompressStream(context.get(), &to, &from);
    if (ZSTD_isError(left) || (left != 0 && from.pos + to.pos == before)) return false;
  }
  std::ranges::fill(out.subspan(to.pos), std::byte{0});
  return true;
}

// A length of all of it; then for each sector a length and the bytes. No length lies across the end of a sector.
bool unpack_lzo(std::span<const std::byte> packed, std::span<std::byte> out, std::size_t sector_bytes) {
  constexpr std::size_t length_bytes = sizeof(base::le32);
  if (packed.size() < length_bytes) return false;
  const std::size_t end = base::load<base::le32>(packed);
  if (end > packed.size()) return false;
  std::vector<std::byte> sector(sector_bytes);
  std::size_t at = length_bytes;
  while (!out.empty() && at < end) {
    const auto room = sector_bytes - at % sector_bytes;
    if (room < length_bytes) at += room;
    if (at + length_bytes > end) break;
    const std::size_t length = base::load<base::le32>(packed, at);
    at += length_bytes;
    if (length > end - at) return false;
    lzo_uint unpacked = sector.size();
    if (lzo1x_decompress_safe(bytes(packed.subspan(at, length)), length, bytes(std::span(sector)), &unpacked,
                              nullptr) != LZO_E_OK)
      return false;
    at += length;
    const auto part = std::span(sector).first(std::min<std::size_t>(unpacked, out.size()));
    std::ranges::copy(part, out.begin());
    out = out.subspan(part.size());
  }
  std::ranges::fill(out, std::byte{0});
  return true;
}

}  // namespace

bool unpack(std::uint8_t compression, std::span<const std::byte> packed, std::span<std::byte> out,
            std::size_t sector_bytes) {
  switch (compression) {
    case compression_zlib:
      return unpack_zlib(packed, out);
    case compression_lzo:
      return unpack_lzo(packed, out, sector_bytes);
    case compression_zstd:
      return unpack_zstd(packed, out);
    default:
      return false;
  }
}

}  // namespace hrvm::fs::btrfs
