#include "fs/fat/directory.hpp"

#include <chrono>

#include "fs/fat/format.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::fs::fat {

namespace {

constexpr std::size_t most_entries = 65536;
constexpr unsigned most_parts = 20;  // 255 characters

// The short name's checksum that ties long entries to it (specification, "ChkSum").
std::uint8_t checksum(const DirectoryEntry& entry) {
  std::uint8_t sum = 0;
  for (const std::uint8_t c : entry.name) sum = std::uint8_t((sum >> 1 | sum << 7) + c);
  return sum;
}

std::string short_part(const DirectoryEntry& entry, std::size_t first, std::size_t count, std::uint8_t lower_flag) {
  std::string text;
  for (std::size_t i = first; i < first + count; ++i) {
    const std::uint8_t c = i == 0 && entry.name[0] == entry_kanji_e5 ? entry_free : entry.name[i];
    // The code page of a short name is not recorded.
    text += c < 0x80 ? std::string(1, char(c)) : "\ufffd";
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return entry.lower_case & lower_flag ? base::lower(text) : text;
}

std::string short_name(const DirectoryEntry& entry) {
  const std::string stem = short_part(entry, 0, 8, 0x08), extension = short_part(entry, 8, 3, 0x10);
  return extension.empty() ? stem : stem + "." + extension;
}

std::int64_t modified(const DirectoryEntry& entry) {
  using namespace std::chrono;
  const unsigned date = entry.modified_date, time = entry.modified_time;
  const year_month_day day{year(int(1980 + (date >> 9))), month(date >> 5 & 15), std::chrono::day(date & 31)};
  if (!day.ok()) return 0;
  const auto at = sys_days(day) + hours(time >> 11) + minutes(time >> 5 & 63) + seconds(2 * (time & 31));
  return duration_cast<seconds>(at.time_since_epoch()).count();
}

// Long entries come last part first, directly before the entry they name.
class LongName {
 public:
  void add(const LongNameEntry& entry) {
    const unsigned number = entry.order & ~unsigned(last_long_entry);
    if (entry.order & last_long_entry) {
      *this = {};
      expected_ = number <= most_parts ? number : 0;
      checksum_ = entry.checksum;
    }
    if (number == 0 || number != expected_ || entry.checksum != checksum_) return clear();
    --expected_;
    std::string part;
    for (const std::uint8_t c : entry.part_1) part += char(c);
    for (const std::uint8_t c : entry.part_2) part += char(c);
    for (const std::uint8_t c : entry.part_3) part += char(c);
    utf16_.insert(0, part);
  }
  // Empty where the parts are not complete or belong to another entry.
  std::string name_for(const DirectoryEntry& entry) const {
    const bool complete = !utf16_.empty() && expected_ == 0 && checksum_ == checksum(entry);
    return complete ? base::from_utf16le(utf16_) : std::string();
  }
  void clear() { *this = {}; }

 private:
  std::string utf16_;
  unsigned expected_ = 0;
  std::uint8_t checksum_ = 0;
};

File file_from(const DirectoryEntry& entry, const LongName& long_name) {
  const std::string name = long_name.name_for(entry);
  const bool is_directory = entry.attributes & attribute_directory;
  return {.name = name.empty() ? short_name(entry) : name,
          .is_directory = is_directory,
          .first_cluster = std::uint32_t(entry.first_cluster_high) << 16 | std::uint32_t(entry.first_cluster_low),
          .size = is_directory ? 0 : std::uint32_t(entry.size),
          .modified = modified(entry)};
}

}  // namespace

std::vector<File> parse_directory(std::string_view bytes) {
  const auto raw = std::as_bytes(std::span(bytes));
  std::vector<File> files;
  LongName long_name;
  for (std::size_t at = 0; at + sizeof(DirectoryEntry) <= raw.size() && files.size() < most_entries;
       at += sizeof(DirectoryEntry)) {
    const auto entry = base::load<DirectoryEntry>(raw, at);
    if (entry.name[0] == entry_end) break;
    if (entry.name[0] == entry_free) {
      long_name.clear();
    } else if ((entry.attributes & attribute_mask) == attribute_long_name) {
      long_name.add(base::load<LongNameEntry>(raw, at));
    } else {
      const bool shown = !(entry.attributes & attribute_volume) && entry.name[0] != '.';
      if (shown) files.push_back(file_from(entry, long_name));
      long_name.clear();
    }
  }
  return files;
}

}  // namespace hrvm::fs::fat
