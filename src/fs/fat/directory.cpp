#include "fs/fat/directory.hpp"

#include <chrono>

#include "hrvm/base/text.hpp"

namespace hrvm::fs::fat {

namespace {

constexpr const char* unknown = "\ufffd";
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
    text += c < 0x80 && c != '/' && c != 0 ? std::string(1, char(c)) : unknown;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return entry.lower_case & lower_flag ? base::lower(text) : text;
}

std::string short_name(const DirectoryEntry& entry) {
  const std::string stem = short_part(entry, 0, 8, 0x08), extension = short_part(entry, 8, 3, 0x10);
  if (stem.empty() && extension.empty()) return unknown;
  return extension.empty() ? stem : stem + "." + extension;
}

// nullopt where it is no day.
std::optional<Time> time_of(unsigned date, unsigned time, unsigned hundredths) {
  using namespace std::chrono;
  const year_month_day day{year(int(1980 + (date >> 9))), month(date >> 5 & 15), std::chrono::day(date & 31)};
  if (!day.ok()) return std::nullopt;
  const auto at = sys_days(day) + hours(time >> 11) + minutes(time >> 5 & 63) + seconds(2 * (time & 31)) +
                  seconds(hundredths / 100);
  return Time{duration_cast<seconds>(at.time_since_epoch()).count(), hundredths % 100 * 10'000'000};
}

Times times_of(const DirectoryEntry& entry) {
  return {.modified = time_of(entry.modified_date, entry.modified_time, 0).value_or(Time{}),
          .accessed = time_of(entry.accessed_date, 0, 0),
          .created = time_of(entry.created_date, entry.created_time, entry.created_hundredths)};
}

bool can_be_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos && name.find('\0') == name.npos;
}

bool is_part_of_long_name(const DirectoryEntry& entry) {
  return (entry.attributes & attribute_mask) == attribute_long_name;
}

}  // namespace

// Long entries come last part first, directly before the entry they name.
class DirectoryParser::LongName {
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
  // Empty where the parts are not complete, belong to another entry, or make no name.
  std::string name_for(const DirectoryEntry& entry) const {
    const bool complete = !utf16_.empty() && expected_ == 0 && checksum_ == checksum(entry);
    const std::string name = complete ? base::from_utf16le(utf16_) : std::string();
    return can_be_name(name) ? name : std::string();
  }
  void clear() { *this = {}; }

 private:
  std::string utf16_;
  unsigned expected_ = 0;
  std::uint8_t checksum_ = 0;
};

std::optional<File> file_from(const DirectoryEntry& entry) {
  const auto first = entry.name[0];
  if (first == entry_end || first == entry_free || first == '.') return std::nullopt;
  if (is_part_of_long_name(entry) || entry.attributes & attribute_volume) return std::nullopt;
  const bool is_directory = entry.attributes & attribute_directory;
  return File{.name = short_name(entry),
              .is_directory = is_directory,
              .is_read_only = (entry.attributes & attribute_read_only) != 0,
              .first_cluster = std::uint32_t(entry.first_cluster_high) << 16 | std::uint32_t(entry.first_cluster_low),
              .size = is_directory ? 0 : std::uint32_t(entry.size),
              .times = times_of(entry)};
}

DirectoryParser::DirectoryParser() : long_name_(std::make_unique<LongName>()) {}

DirectoryParser::~DirectoryParser() = default;

bool DirectoryParser::take(std::span<const std::byte> bytes, const Visitor& visitor) {
  for (std::size_t at = 0; at + sizeof(DirectoryEntry) <= bytes.size(); at += sizeof(DirectoryEntry)) {
    const auto entry = base::load<DirectoryEntry>(bytes, at);
    if (entry.name[0] == entry_end) return false;
    if (entry.name[0] != entry_free && is_part_of_long_name(entry)) {
      long_name_->add(base::load<LongNameEntry>(bytes, at));
      continue;
    }
    if (auto file = file_from(entry)) {
      if (auto name = long_name_->name_for(entry); !name.empty()) file->name = std::move(name);
      if (!visitor(*file, at)) return false;
    }
    long_name_->clear();
  }
  return true;
}

}  // namespace hrvm::fs::fat
