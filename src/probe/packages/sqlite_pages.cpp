#include "probe/packages/sqlite_pages.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>

#include "hrvm/base/error.hpp"
#include "probe/packages/sqlite_format.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint32_t least_usable_bytes = 480;

bool is_regular(fs::FileSystem& files, const std::string& path) {
  const auto info = files.info(path);
  return info && info->kind == fs::FileKind::regular;
}

// A rollback journal with its header means that the file is as it was in the middle of a transaction.
void refuse_hot_journal(fs::FileSystem& files, const std::string& path) {
  constexpr std::string_view magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
  if (is_regular(files, path) && files.read(path, 0, magic.size()) == magic)
    throw Error(ErrorKind::unsupported, "a transaction of the database has to be rolled back first").on(path);
}

}  // namespace

SqlitePages::SqlitePages(fs::FileSystem& files, const std::string& path) : file_(files, path) {
  refuse_hot_journal(files, path + "-journal");
  if (const auto log = path + "-wal"; is_regular(files, log)) log_.emplace(files, log);
  if (log_ && log_->is_empty()) log_.reset();
  read_header();
}

void SqlitePages::read_header() {
  std::array<std::byte, sizeof(SqliteHeader)> bytes;
  const auto in_log = log_ ? log_->find(1) : std::nullopt;
  if (!in_log && file_.size() < bytes.size()) fail("it is too short for a SQLite database", 1);
  in_log ? log_->read(*in_log, bytes) : file_.read(0, bytes);
  const auto header = base::load<SqliteHeader>(bytes);
  if (std::string_view(header.magic.data(), header.magic.size()) != sqlite_magic)
    fail("it does not begin as a SQLite database does", 1);
  page_bytes_ = header.page_bytes == 1 ? 65536 : std::uint32_t(header.page_bytes);
  if (page_bytes_ < 512 || (page_bytes_ & (page_bytes_ - 1)) != 0) fail("it has pages of an impossible size", 1);
  if (log_ && log_->page_bytes() != page_bytes_) fail("its log has pages of another size", 1);
  usable_bytes_ = page_bytes_ - header.reserved_bytes;
  if (usable_bytes_ < least_usable_bytes) fail("its pages have too little room", 1);
  if (header.text_encoding != sqlite_utf8 && header.text_encoding != 0)
    throw Error(ErrorKind::unsupported, "its text is in UTF-16, which hrvm does not read").on(file_.path());
  const std::uint64_t in_file = file_.size() / page_bytes_;
  const bool is_count_right = header.pages != 0 && header.change_counter == header.version_valid_for;
  const std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  count_ = log_             ? log_->page_count()
           : is_count_right ? std::uint32_t(header.pages)
                            : std::uint32_t(std::min(in_file, most));
}

std::vector<std::byte> SqlitePages::read(std::uint32_t number) {
  if (number == 0 || number > count_) fail("it refers to a page that it has not", number);
  std::vector<std::byte> page(page_bytes_);
  if (const auto in_log = log_ ? log_->find(number) : std::nullopt)
    log_->read(*in_log, page);
  else
    file_.read((std::uint64_t(number) - 1) * page_bytes_, page);
  return page;
}

void SqlitePages::fail(const char* what, std::uint32_t page) const {
  throw Error(ErrorKind::corrupt, fmt::format("{} (page {})", what, page)).on(file_.path());
}

}  // namespace hrvm::probe
