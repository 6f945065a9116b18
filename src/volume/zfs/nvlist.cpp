#include "volume/zfs/nvlist.hpp"

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::volume::zfs {
namespace {

constexpr unsigned deepest = 16;
constexpr std::size_t most_pairs = 65536;
constexpr std::byte encoding_xdr{1};
constexpr std::size_t pair_header_bytes = 8;  // its packed size, and its size in memory

enum class Type : std::uint32_t {
  boolean = 1,
  uint64 = 8,
  string = 9,
  uint64_array = 16,
  nvlist = 19,
  nvlist_array = 20,
};

[[noreturn]] void fail(const char* why) {
  throw base::Error(base::ErrorKind::corrupt, std::string("an nvlist ") + why);
}

class Parser {
 public:
  explicit Parser(std::span<const std::byte> bytes) : bytes_(bytes) {}

  NvList run() {
    if (bytes_.size() < 4 || bytes_[0] != encoding_xdr) fail("is not packed by XDR");
    at_ = 4;
    return list(0);
  }

 private:
  std::span<const std::byte> take(std::size_t length) {
    if (length > bytes_.size() - at_) fail("ends early");
    at_ += length;
    return bytes_.subspan(at_ - length, length);
  }
  std::uint32_t u32() { return base::load<base::be32>(take(4)); }
  std::uint64_t u64() { return base::load<base::be64>(take(8)); }

  std::string text() {
    const std::size_t length = u32();
    const auto bytes = take(length);
    take((4 - length % 4) % 4);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  NvList list(unsigned depth) {
    if (depth > deepest) fail("is nested too deep");
    take(8);  // version and flags
    NvList into;
    for (;;) {
      const std::size_t start = at_;
      const std::size_t packed_size = u32();
      const std::uint32_t memory_size = u32();
      if (packed_size == 0 && memory_size == 0) return into;
      if (packed_size < pair_header_bytes || packed_size > bytes_.size() - start) fail("holds a pair that leaves it");
      if (++pairs_ > most_pairs) fail("has too many pairs");
      pair(into, depth);
      if (at_ > start + packed_size) fail("holds a pair that is longer than it says");
      at_ = start + packed_size;
    }
  }

  void pair(NvList& into, unsigned depth) {
    const std::string name = text();
    const auto type = Type(u32());
    const std::uint32_t count = u32();
    switch (type) {
      case Type::boolean:
        into.names.push_back(name);
        break;
      case Type::uint64:
        into.numbers[name] = u64();
        break;
      case Type::string:
        into.texts[name] = text();
        break;
      case Type::uint64_array:
        for (const std::uint32_t length = u32(); into.number_arrays[name].size() < length;)
          into.number_arrays[name].push_back(u64());
        break;
      case Type::nvlist:
        into.lists[name] = list(depth + 1);
        break;
      case Type::nvlist_array:
        for (std::uint32_t i = 0; i < count; ++i) into.arrays[name].push_back(list(depth + 1));
        break;
      default:
        break;
    }
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  std::size_t pairs_ = 0;
};

}  // namespace

std::optional<std::uint64_t> NvList::number(const std::string& name) const {
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

std::string NvList::text(const std::string& name) const {
  const auto found = texts.find(name);
  return found == texts.end() ? std::string() : found->second;
}

NvList parse_nvlist(std::span<const std::byte> packed) { return Parser(packed).run(); }

}  // namespace hrvm::volume::zfs
