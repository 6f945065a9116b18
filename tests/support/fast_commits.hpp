// Records of fast commits as they lie in a journal, built from the format's documentation, apart from the code under
// test.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/endian.hpp"

namespace hrvm::test {

class FastCommits {
 public:
  FastCommits& head(std::uint32_t sequence, std::uint32_t features = 0) { return add(9, {features, sequence}); }
  // Of written blocks, unless `length` says otherwise as an extent's does.
  FastCommits& add_range(std::uint32_t inode, std::uint32_t first, std::uint32_t length, std::uint32_t start) {
    return add(1, {inode, first, length, start});
  }
  FastCommits& del_range(std::uint32_t inode, std::uint32_t first, std::uint32_t blocks) {
    return add(2, {inode, first, blocks});
  }
  FastCommits& create(std::uint32_t folder, std::uint32_t inode, std::string_view name) {
    return add(3, {folder, inode}, bytes_of(name));
  }
  FastCommits& link(std::uint32_t folder, std::uint32_t inode, std::string_view name) {
    return add(4, {folder, inode}, bytes_of(name));
  }
  FastCommits& unlink(std::uint32_t folder, std::uint32_t inode, std::string_view name) {
    return add(5, {folder, inode}, bytes_of(name));
  }
  FastCommits& inode(std::uint32_t number, std::span<const std::byte> raw) { return add(6, {number}, raw); }
  FastCommits& padding(std::size_t bytes) { return add(7, {}, std::vector<std::byte>(bytes)); }
  // Goes on to the end of a block of `block_bytes`, as Linux writes it, or ends at once.
  FastCommits& tail(std::uint32_t sequence, std::size_t block_bytes = 0) {
    const std::size_t end = std::max(block_bytes, bytes_.size() + 12);
    put({8, std::uint16_t(end - bytes_.size() - 4)}, {sequence});
    crc_ = crc32c(crc_, std::span(bytes_).last(8));
    put32(std::exchange(crc_, 0));
    bytes_.resize(end);
    return *this;
  }
  FastCommits& add(std::uint16_t type, std::vector<std::uint32_t> words, std::span<const std::byte> more = {}) {
    const std::size_t before = bytes_.size();
    put({type, std::uint16_t(words.size() * 4 + more.size())}, words);
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    crc_ = crc32c(crc_, std::span(bytes_).subspan(before));
    return *this;
  }

  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  static std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
  static std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
    return base::crc32_register<base::CrcPolynomial::castagnoli>(crc, bytes);
  }
  void put32(std::uint32_t word) {
    bytes_.resize(bytes_.size() + 4);
    base::store(bytes_, bytes_.size() - 4, base::le32(word));
  }
  void put(std::pair<std::uint16_t, std::uint16_t> head, const std::vector<std::uint32_t>& words) {
    put32(head.first | std::uint32_t(head.second) << 16);
    for (std::uint32_t word : words) put32(word);
  }

  std::vector<std::byte> bytes_;
  std::uint32_t crc_ = 0;
};

}  // namespace hrvm::test
