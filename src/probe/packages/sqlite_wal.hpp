// The write-ahead log of a SQLite database: what was committed and not yet brought into the file itself.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "probe/packages/read_file.hpp"

namespace hrvm::probe {

struct WalHeader;

class SqliteWal {
 public:
  // Frames are valid as long as their salts and their checksums, each of which goes on from the one before, are right;
  // they count up to the last that ends a transaction. Error{unsupported} for a log of more than 1 GiB, or of a version
  // that is not known.
  SqliteWal(fs::FileSystem& files, std::string path);

  bool is_empty() const { return pages_.empty(); }
  std::uint32_t page_bytes() const { return page_bytes_; }
  std::uint32_t page_count() const { return page_count_; }  // of the database, after the last transaction
  // Where the newest state of the page lies in the log; nullopt where the log has none.
  std::optional<std::uint64_t> find(std::uint32_t page) const;
  void read(std::uint64_t offset, std::span<std::byte> out) { file_.read(offset, out); }

 private:
  void read_frames(const WalHeader& header);

  ReadFile file_;
  std::uint32_t page_bytes_ = 0, page_count_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> pages_;  // with their places, sorted
};

}  // namespace hrvm::probe
