#include "probe/initramfs/decoder.hpp"

#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

struct Compression {
  std::string_view magic;
  std::unique_ptr<ByteStream> (*make)(ByteStream& packed);
};

// As the kernel tells them apart (lib/decompress.c).
constexpr Compression compressions[] = {
    {{"\x1f\x8b", 2}, decode_gzip},
    {{"\x28\xb5\x2f\xfd", 4}, decode_zstd},
    {{"\xfd"
      "7zXZ\0",
      6},
     decode_xz},
    {{"\x02\x21\x4c\x18", 4}, decode_lz4},
    {{"BZh", 3}, decode_bzip2},
    {{"\x5d\0\0", 3}, decode_lzma},
};

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), bytes.begin(), [](char a, std::byte b) { return std::byte(a) == b; });
}

}  // namespace

std::span<const std::byte> Decoder::peek() {
  if (at_ == filled_ && !ended_) fill();
  return std::span<const std::byte>(piece_).subspan(at_, filled_ - at_);
}

void Decoder::fill() {
  at_ = filled_ = 0;
  while (filled_ == 0 && !ended_) {
    const auto in = packed_.peek();
    const Step step = decode(in, piece_);
    packed_.drop(step.taken);
    filled_ = step.made;
    ended_ = step.ended;
    if (step.taken == 0 && step.made == 0 && !step.ended)
      throw base::Error(base::ErrorKind::corrupt, "a compressed stream ends before its end");
  }
}

std::unique_ptr<ByteStream> make_decoder(std::span<const std::byte> start, ByteStream& packed) {
  for (const Compression& compression : compressions)
    if (begins_with(start, compression.magic)) return compression.make(packed);
  return nullptr;
}

}  // namespace hrvm::probe
