#include "probe/packages/rpm_header.hpp"

#include <algorithm>
#include <string>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

struct Intro {
  base::be32 entries, store_bytes;
};
static_assert(sizeof(Intro) == 8);

struct IndexEntry {
  base::be32 tag, type, offset, count;
};
static_assert(sizeof(IndexEntry) == 16);

// Types of values.
constexpr std::uint32_t of_numbers = 4, of_text = 6, of_texts = 8, of_translated_texts = 9;

// Of one tag; the largest packages of TeX Live have 100,000 files. And of one path; none is longer on a Linux.
constexpr std::size_t most_values = 4 << 20, longest_path = 4096;

// Up to the next NUL, which has to be there.
std::optional<std::string_view> take_text(std::span<const std::byte>& bytes) {
  const auto end = std::ranges::find(bytes, std::byte{0});
  if (end == bytes.end()) return std::nullopt;
  const auto length = std::size_t(end - bytes.begin());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), length);
  bytes = bytes.subspan(length + 1);
  return text;
}

}  // namespace

RpmHeader::RpmHeader(std::span<const std::byte> bytes) {
  const auto corrupt = [] {
    return base::Error(base::ErrorKind::corrupt, "the header of a package leaves its record");
  };
  if (bytes.size() < sizeof(Intro)) throw corrupt();
  const auto intro = base::load<Intro>(bytes);
  bytes = bytes.subspan(sizeof(Intro));
  const std::uint64_t index_bytes = std::uint64_t(intro.entries) * sizeof(IndexEntry);
  if (index_bytes > bytes.size() || intro.store_bytes > bytes.size() - index_bytes) throw corrupt();
  index_ = bytes.first(std::size_t(index_bytes));
  store_ = bytes.subspan(std::size_t(index_bytes), intro.store_bytes);
}

std::optional<RpmHeader::Values> RpmHeader::find(RpmTag tag) const {
  for (std::size_t at = 0; at < index_.size(); at += sizeof(IndexEntry)) {
    const auto entry = base::load<IndexEntry>(index_, at);
    if (entry.tag != std::uint32_t(tag)) continue;
    if (entry.offset >= store_.size()) return std::nullopt;
    return Values{entry.type, entry.count, store_.subspan(entry.offset)};
  }
  return std::nullopt;
}

std::optional<std::string_view> RpmHeader::text(RpmTag tag) const {
  auto values = find(tag);
  if (!values || (values->type != of_text && values->type != of_translated_texts)) return std::nullopt;
  return take_text(values->bytes);
}

std::optional<std::uint32_t> RpmHeader::number(RpmTag tag) const {
  const auto all = numbers(tag);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::vector<std::string_view> RpmHeader::texts(RpmTag tag) const {
  auto values = find(tag);
  std::vector<std::string_view> all;
  if (!values || values->type != of_texts) return all;
  for (std::size_t i = 0; i < std::min<std::size_t>(values->count, most_values); ++i) {
    const auto text = take_text(values->bytes);
    if (!text) break;
    all.push_back(*text);
  }
  return all;
}

std::vector<std::uint32_t> RpmHeader::numbers(RpmTag tag) const {
  const auto values = find(tag);
  std::vector<std::uint32_t> all;
  if (!values || values->type != of_numbers) return all;
  const std::size_t there = std::min(values->bytes.size() / sizeof(base::be32), most_values);
  const std::size_t count = std::min<std::size_t>(values->count, there);
  for (std::size_t i = 0; i < count; ++i) all.push_back(base::load<base::be32>(values->bytes, i * sizeof(base::be32)));
  return all;
}

void RpmHeader::visit_paths(const std::function<void(std::string_view path)>& visitor) const {
  const auto names = texts(RpmTag::base_names), folders = texts(RpmTag::folder_names);
  const auto indexes = numbers(RpmTag::folder_indexes);
  std::string path;
  for (std::size_t i = 0; i < std::min(names.size(), indexes.size()); ++i)
    if (indexes[i] < folders.size() && folders[indexes[i]].size() + names[i].size() <= longest_path)
      visitor(path.assign(folders[indexes[i]]).append(names[i]));
  for (const std::string_view name : texts(RpmTag::old_file_names)) visitor(name);
}

}  // namespace hrvm::probe
