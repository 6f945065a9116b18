// The pages of a SQLite database as a reader of it would see them: of the file, or newer ones of its log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/packages/read_file.hpp"
#include "probe/packages/sqlite_wal.hpp"

namespace hrvm::probe {

class SqlitePages {
 public:
  // Error{corrupt} where the file is no such database, Error{unsupported} where it was left in the middle of a
  // transaction that has to be rolled back, or is not in UTF-8.
  SqlitePages(fs::FileSystem& files, const std::string& path);

  std::uint32_t count() const { return count_; }
  std::uint32_t usable_bytes() const { return usable_bytes_; }  // of each page; at least 480
  // Counted from 1. Error{corrupt} for one that is not there.
  std::vector<std::byte> read(std::uint32_t number);
  [[noreturn]] void fail(const char* what, std::uint32_t page) const;

 private:
  void read_header();

  ReadFile file_;
  std::optional<SqliteWal> log_;
  std::uint32_t page_bytes_ = 0, usable_bytes_ = 0, count_ = 0;
};

}  // namespace hrvm::probe
