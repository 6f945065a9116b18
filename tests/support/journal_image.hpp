// A device with a journal (jbd2) on it, built block by block from the format's documentation, apart from the code under
// test. Blocks are of 1 KiB. The filesystem has 64 of them that are filled with '.'; the journal lies behind them, in
// two pieces of which the second comes first.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"

namespace hrvm::test {

class JournalImage {
 public:
  static constexpr std::uint32_t block_bytes = 1024, filesystem_blocks = 64, journal_blocks = 32;
  static constexpr std::uint32_t revokes = 1, bits_64 = 2, async = 4, checksum_2 = 8, checksum_3 = 16, fast = 32;
  enum Flag : std::uint16_t { escaped = 1, same_uuid = 2, deleted = 4, last = 8 };

  struct Shape {
    std::uint32_t incompatible = 0, compatible = 0, read_only_compatible = 0;
    std::uint32_t version = 2;
    std::uint32_t start = 1, sequence = 7;  // of the first transaction
    std::uint32_t blocks = journal_blocks, fast_blocks = 0;
  };
  struct Write {
    std::uint64_t block = 0;
    char fill = 0;  // of all of the block
    std::uint16_t flags = 0;
  };

  explicit JournalImage(Shape shape) : shape_(shape), next_(shape.start == 0 ? 1 : shape.start) {
    bytes_.assign(std::size_t(filesystem_blocks + shape.blocks) * block_bytes, std::byte('.'));
    for (std::uint32_t at = 0; at < shape.blocks; ++at) std::ranges::fill(block(at), std::byte(0));
  }
  JournalImage() : JournalImage(Shape{}) {}

  // Where block `number` of the journal lies: the first half behind the second.
  std::uint64_t place(std::uint32_t number) const {
    const std::uint32_t half = shape_.blocks / 2;
    return filesystem_blocks + (number < half ? number + shape_.blocks - half : number - half);
  }
  std::span<std::byte> block(std::uint32_t number) {
    return std::span(bytes_).subspan(std::size_t(place(number)) * block_bytes, block_bytes);
  }
  std::uint32_t next() const { return next_; }
  void go_to(std::uint32_t number) { next_ = number; }

  // A descriptor and the blocks that it tells of. The last tag is flagged as such, all but the first share its UUID.
  std::uint32_t write(std::uint32_t sequence, std::vector<Write> writes) {
    const std::uint32_t descriptor = take(1, sequence);
    std::vector<std::uint32_t> places;
    for (const Write& each : writes) {
      const std::uint32_t at = take_data(each.fill);
      if (each.flags & escaped) std::ranges::fill(block(at).first(4), std::byte(0));
      places.push_back(at);
    }
    std::size_t offset = 12;
    for (std::size_t i = 0; i < writes.size(); ++i) {
      auto flags = std::uint16_t(writes[i].flags | (i > 0 ? same_uuid : 0) | (i + 1 == writes.size() ? last : 0));
      offset += put_tag(block(descriptor).subspan(offset), sequence, writes[i].block, flags, block(places[i]));
      if (!(flags & same_uuid)) offset += 16;
    }
    seal_tail(descriptor);
    crc_ = crc_be(crc_, block(descriptor));
    for (std::uint32_t at : places) crc_ = crc_be(crc_, block(at));
    return descriptor;
  }

  std::uint32_t revoke(std::uint32_t sequence, std::vector<std::uint64_t> blocks) {
    const std::uint32_t at = take(5, sequence);
    std::size_t offset = 16;
    for (std::uint64_t each : blocks) {
      if (has(bits_64))
        base::store(block(at), offset, base::be64(each));
      else
        base::store(block(at), offset, base::be32(std::uint32_t(each)));
      offset += has(bits_64) ? 8 : 4;
    }
    base::store(block(at), 12, base::be32(std::uint32_t(offset)));
    seal_tail(at);
    return at;
  }

  std::uint32_t commit(std::uint32_t sequence, std::uint64_t seconds = 1000) {
    const std::uint32_t at = take(2, sequence);
    base::store(block(at), 48, base::be64(seconds));
    if (shape_.compatible & 1) {
      block(at)[12] = std::byte(1), block(at)[13] = std::byte(4);
      base::store(block(at), 16, base::be32(std::exchange(crc_, ~0u)));
    } else if (has_checksums()) {
      seal(at, 16);
    }
    return at;
  }

  // A block that begins as those of the journal do.
  std::uint32_t take(std::uint32_t type, std::uint32_t sequence) {
    const std::uint32_t at = take_data(0);
    put_header(block(at), type, sequence);
    return at;
  }

  // Once the log is as it should be; what is changed in it later is damage.
  void write_super() {
    auto super = block(0);
    put_header(super, shape_.version == 2 ? 4 : 3, 0);
    const std::uint32_t words[] = {block_bytes, shape_.blocks, 1, shape_.sequence, shape_.start};
    for (std::size_t i = 0; i < std::size(words); ++i) base::store(super, 12 + 4 * i, base::be32(words[i]));
    base::store(super, 36, base::be32(shape_.compatible));
    base::store(super, 40, base::be32(shape_.incompatible));
    base::store(super, 44, base::be32(shape_.read_only_compatible));
    std::ranges::copy(uuid(), super.begin() + 48);
    base::store(super, 84, base::be32(shape_.fast_blocks));
    if (!has_checksums()) return;
    super[80] = std::byte(4);
    base::store(super, 252, base::be32(0));
    base::store(super, 252, base::be32(crc32c(~0u, super)));
  }

  std::unique_ptr<block::BlockDevice> device() const { return block::memory_device(bytes_, "disk"); }
  std::vector<std::byte>& bytes() { return bytes_; }

  // Of the superblock, the block's checksum is made anew.
  void seal(std::uint32_t number, std::size_t offset) {
    base::store(block(number), offset, base::be32(0));
    base::store(block(number), offset, base::be32(crc32c(seed(), block(number))));
  }
  void seal_tail(std::uint32_t number) {
    if (has_checksums()) seal(number, block_bytes - 4);
  }

  static std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
    return base::crc32_register<base::CrcPolynomial::castagnoli>(crc, bytes);
  }

 private:
  bool has(std::uint32_t feature) const { return shape_.version == 2 && shape_.incompatible & feature; }
  bool has_checksums() const { return has(checksum_2) || has(checksum_3); }
  static std::vector<std::byte> uuid() { return std::vector<std::byte>(16, std::byte(0x5a)); }
  static std::uint32_t seed() { return crc32c(~0u, uuid()); }

  static void put_header(std::span<std::byte> to, std::uint32_t type, std::uint32_t sequence) {
    base::store(to, 0, base::be32(0xc03b3998));
    base::store(to, 4, base::be32(type));
    base::store(to, 8, base::be32(sequence));
  }

  // The log's next block, filled.
  std::uint32_t take_data(char fill) {
    const std::uint32_t at = next_++;
    if (next_ == shape_.blocks - shape_.fast_blocks) next_ = 1;
    std::ranges::fill(block(at), std::byte(fill));
    return at;
  }

  std::size_t put_tag(std::span<std::byte> to, std::uint32_t sequence, std::uint64_t number, std::uint16_t flags,
                      std::span<const std::byte> data) {
    std::vector<std::byte> counted(4);
    base::store(counted, 0, base::be32(sequence));
    const std::uint32_t sum = crc32c(crc32c(seed(), counted), data);
    base::store(to, 0, base::be32(std::uint32_t(number)));
    if (has(bits_64) || has(checksum_3)) base::store(to, 8, base::be32(std::uint32_t(number >> 32)));
    if (has(checksum_3)) {
      base::store(to, 4, base::be32(flags));
      base::store(to, 12, base::be32(sum));
      return 16;
    }
    base::store(to, 4, base::be16(std::uint16_t(has(checksum_2) ? sum : 0)));
    base::store(to, 6, base::be16(flags));
    return (has(bits_64) ? 12u : 8u) + (has(checksum_2) ? 2u : 0u);
  }

  static std::uint32_t crc_be(std::uint32_t crc, std::span<const std::byte> bytes) {
    for (std::byte byte : bytes) {
      crc ^= std::uint32_t(byte) << 24;
      for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ (crc >> 31 ? 0x04c11db7u : 0u);
    }
    return crc;
  }

  Shape shape_;
  std::uint32_t next_;
  std::uint32_t crc_ = ~0u;  // of the transaction
  std::vector<std::byte> bytes_;
};

}  // namespace hrvm::test
