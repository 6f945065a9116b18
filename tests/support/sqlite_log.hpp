// A write-ahead log of SQLite with the frames that are given it; salts and checksums are right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/packages/sqlite_format.hpp"

namespace hrvm::test {

struct LogFrame {
  std::uint32_t page = 1;
  std::uint32_t pages_after_commit = 0;  // 0: ends no transaction
  std::string_view content;              // shorter ones are filled up with zeros
};

class LogChecksum {
 public:
  explicit LogChecksum(bool is_big_endian) : is_big_endian_(is_big_endian) {}
  template <typename T>
  void add_and_store(const T& structure, std::size_t length, std::string_view more, base::be32 (&out)[2]) {
    add({reinterpret_cast<const char*>(&structure), length});
    add(more);
    out[0] = a_, out[1] = b_;
  }

 private:
  void add(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      a_ += word(bytes.substr(i, 4)) + b_;
      b_ += word(bytes.substr(i + 4, 4)) + a_;
    }
  }
  std::uint32_t word(std::string_view bytes) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value |= std::uint32_t(static_cast<unsigned char>(bytes[i])) << 8 * (is_big_endian_ ? 3 - i : i);
    return value;
  }

  bool is_big_endian_;
  std::uint32_t a_ = 0, b_ = 0;
};

template <typename T>
std::string bytes_of(const T& structure) {
  return {reinterpret_cast<const char*>(&structure), sizeof structure};
}

inline std::string make_log(std::uint32_t page_bytes, const std::vector<LogFrame>& frames, bool is_big_endian = false) {
  constexpr std::uint32_t salts[2] = {0x12345678, 0x9abcdef0};
  LogChecksum sum(is_big_endian);
  probe::WalHeader header{.magic = probe::wal_magic | std::uint32_t(is_big_endian), .version = probe::wal_version};
  header.page_bytes = page_bytes;
  header.salt[0] = salts[0], header.salt[1] = salts[1];
  sum.add_and_store(header, offsetof(probe::WalHeader, checksum), "", header.checksum);
  std::string log = bytes_of(header);
  for (const LogFrame& each : frames) {
    std::string content(each.content.substr(0, page_bytes));
    content.resize(page_bytes);
    probe::WalFrame frame{.page = each.page, .pages_after_commit = each.pages_after_commit};
    frame.salt[0] = salts[0], frame.salt[1] = salts[1];
    sum.add_and_store(frame, offsetof(probe::WalFrame, salt), content, frame.checksum);
    log += bytes_of(frame) + content;
  }
  return log;
}

}  // namespace hrvm::test
