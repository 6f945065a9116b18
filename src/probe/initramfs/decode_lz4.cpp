// LZ4's legacy frames: a magic number, then blocks of 8 MiB (the last one smaller), each behind its packed size. They
// have no mark at their end: a size of zero, or one that cannot be, ends them.
#include <lz4.h>

#include <algorithm>
#include <array>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "probe/initramfs/decoder.hpp"

namespace hrvm::probe {
namespace {

constexpr std::uint32_t magic = 0x184c2102;
constexpr int block_bytes = 8 << 20;
constexpr std::uint32_t largest_packed = LZ4_COMPRESSBOUND(block_bytes);

class Lz4 : public ByteStream {
 public:
  explicit Lz4(ByteStream& packed) : packed_(packed) {}

  std::span<const std::byte> peek() override {
    while (at_ == filled_ && !ended_) load();
    return std::span<const std::byte>(block_).subspan(at_, filled_ - at_);
  }

 private:
  void drop(std::size_t bytes) override { at_ += bytes; }

  void load() {
    at_ = filled_ = 0;
    const std::uint32_t size = next_size();
    if (size == magic) return;
    if (size == 0 || size > largest_packed)
      ended_ = true;
    else
      unpack(size);
  }

  // Zero at the end, too.
  std::uint32_t next_size() {
    std::array<std::byte, 4> bytes{};
    packed_.read(bytes);
    return base::load<base::le32>(bytes);
  }

  void unpack(std::size_t size) {
    block_.resize(block_bytes);
    in_.resize(std::max(in_.size(), size));
    const auto in = std::span(in_).first(size);
    const int made =
        packed_.read(in) < size ? -1 : LZ4_decompress_safe(chars(in), chars(block_), int(size), block_bytes);
    if (made < 0) throw base::Error(base::ErrorKind::corrupt, "an LZ4 stream is broken");
    filled_ = std::size_t(made);
  }

  static char* chars(std::span<std::byte> bytes) { return static_cast<char*>(static_cast<void*>(bytes.data())); }

  ByteStream& packed_;
  std::vector<std::byte> in_, block_;
  std::size_t at_ = 0, filled_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> decode_lz4(ByteStream& packed) { return std::make_unique<Lz4>(packed); }

}  // namespace hrvm::probe
