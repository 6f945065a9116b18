#include "probe/packages/sqlite_wal.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "hrvm/base/error.hpp"
#include "probe/packages/sqlite_format.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint64_t largest_log = 1 << 30;

// 4.2.
class Checksum {
 public:
  explicit Checksum(bool is_big_endian) : is_big_endian_(is_big_endian) {}

  void add(std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      a_ += word(bytes, at) + b_;
      b_ += word(bytes, at + 4) + a_;
    }
  }
  bool is(const be32 (&expected)[2]) const { return a_ == expected[0] && b_ == expected[1]; }

 private:
  std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) const {
    if (is_big_endian_) return base::load<be32>(bytes, at);
    return base::load<base::le32>(bytes, at);
  }

  bool is_big_endian_;
  std::uint32_t a_ = 0, b_ = 0;
};

bool is_page_size(std::uint32_t bytes) { return bytes >= 512 && bytes <= 65536 && (bytes & (bytes - 1)) == 0; }

bool has_salts(const WalFrame& frame, const WalHeader& header) {
  return frame.salt[0] == header.salt[0] && frame.salt[1] == header.salt[1];
}

}  // namespace

SqliteWal::SqliteWal(fs::FileSystem& files, std::string path) : file_(files, std::move(path)) {
  if (file_.size() < sizeof(WalHeader)) return;
  if (file_.size() > largest_log)
    throw Error(ErrorKind::unsupported, "the log is larger than hrvm reads").on(file_.path());
  std::array<std::byte, sizeof(WalHeader)> bytes;
  file_.read(0, bytes);
  const auto header = base::load<WalHeader>(bytes);
  if ((header.magic & ~1u) != wal_magic) return;
  if (header.version != wal_version)
    throw Error(ErrorKind::unsupported, "the log is of a version that hrvm does not know").on(file_.path());
  if (is_page_size(header.page_bytes)) read_frames(header);
}

void SqliteWal::read_frames(const WalHeader& header) {
  page_bytes_ = header.page_bytes;
  Checksum sum(header.magic & 1);
  sum.add(std::as_bytes(std::span(&header, 1)).first(offsetof(WalHeader, checksum)));
  if (!sum.is(header.checksum)) return;
  std::vector<std::byte> bytes(sizeof(WalFrame) + page_bytes_);
  std::size_t committed = 0;
  for (std::uint64_t at = sizeof(WalHeader); file_.size() - at >= bytes.size(); at += bytes.size()) {
    file_.read(at, bytes);
    const auto frame = base::load<WalFrame>(bytes);
    sum.add(std::span(bytes).first(offsetof(WalFrame, salt)));
    sum.add(std::span(bytes).subspan(sizeof(WalFrame)));
    if (frame.page == 0 || !has_salts(frame, header) || !sum.is(frame.checksum)) break;
    pages_.emplace_back(frame.page, at + sizeof(WalFrame));
    if (frame.pages_after_commit == 0) continue;
    committed = pages_.size();
    page_count_ = frame.pages_after_commit;
  }
  pages_.resize(committed);
  std::ranges::sort(pages_);
}

std::optional<std::uint64_t> SqliteWal::find(std::uint32_t page) const {
  const auto behind = std::ranges::upper_bound(pages_, std::pair(page, std::numeric_limits<std::uint64_t>::max()));
  if (behind == pages_.begin() || std::prev(behind)->first != page) return std::nullopt;
  return std::prev(behind)->second;
}

}  // namespace hrvm::probe
