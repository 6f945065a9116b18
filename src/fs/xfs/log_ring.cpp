#include "fs/xfs/log_ring.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::uint64_t longest_record = 1024;  // sectors: headers and 256 KiB, and as much to spare
constexpr unsigned most_in_flight = 8;          // records that the kernel writes at a time
constexpr std::uint64_t most_sectors_in_flight = most_in_flight * longest_record_bytes / log_sector;

std::uint32_t cycle_in(std::span<const std::byte> sector) {
  const std::uint32_t first = base::load<base::be32>(sector);
  return first == record_magic ? std::uint32_t(base::load<base::be32>(sector, 4)) : first;
}

std::uint32_t add(std::uint32_t crc, std::span<const std::byte> bytes) {
  return base::crc32_register<base::CrcPolynomial::castagnoli>(crc, bytes);
}

}  // namespace

base::Error LogRing::damaged(std::string_view what, std::uint64_t at) const {
  return base::Error(base::ErrorKind::corrupt, fmt::format("{}: the log {}", device_.name(), what))
      .on(device_.name())
      .at(offset_ + at * log_sector);
}

std::vector<std::byte> LogRing::read(std::uint64_t first, std::uint64_t count) {
  std::vector<std::byte> bytes(std::size_t(count * log_sector));
  const std::uint64_t before_end = std::min(count, sectors_ - first % sectors_);
  const auto parts = std::span(bytes);
  device_.read(offset_ + first % sectors_ * log_sector, parts.first(std::size_t(before_end * log_sector)));
  if (before_end < count) device_.read(offset_, parts.subspan(std::size_t(before_end * log_sector)));
  return bytes;
}

std::uint32_t LogRing::cycle(std::uint64_t at) { return cycle_in(read(at, 1)); }

// Behind the last sector of the newest round, as far as halving finds it. From 1 to all sectors.
std::uint64_t LogRing::newest_end() {
  const auto newest = cycle(0);
  if (cycle(sectors_ - 1) == newest) return sectors_;
  std::uint64_t low = 0, high = sectors_ - 1;  // of the newest round, and not
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (cycle(middle) == newest ? low : high) = middle;
  }
  return high;
}

std::optional<std::uint64_t> LogRing::first_hole(std::uint64_t begin, std::uint64_t end, std::uint32_t expected) {
  if (begin == end) return std::nullopt;
  const auto bytes = read(begin, end - begin);
  for (std::uint64_t at = begin; at < end; ++at)
    if (cycle_in(std::span(bytes).subspan(std::size_t((at - begin) * log_sector))) != expected) return at;
  return std::nullopt;
}

// Records are written several at a time, in any order: the first sector that was left out ends the log.
std::uint64_t LogRing::find_head() {
  const std::uint64_t end = newest_end(), window = std::min(most_sectors_in_flight, sectors_);
  const auto newest = cycle(0);
  const std::uint64_t before_start = window - std::min(window, end);
  if (const auto hole = first_hole(sectors_ - before_start, sectors_, newest - 1)) return *hole;
  if (const auto hole = first_hole(end - std::min(window, end), end, newest)) return *hole;
  return end % sectors_;
}

std::optional<LogRing::Place> LogRing::place_at(std::uint64_t at) {
  Place place{at % sectors_, base::load<RecordHeader>(read(at, 1)), 1};
  const auto& header = place.header;
  const std::uint32_t version = header.version;
  if (header.magic != record_magic || (version != 1 && version != 2) || header.bytes > longest_record_bytes ||
      header.most_bytes > longest_record_bytes)
    return std::nullopt;
  if (version == 2)
    place.header_sectors = std::max(1u, (header.most_bytes + bytes_of_a_header - 1) / bytes_of_a_header);
  if (header.bytes > place.header_sectors * bytes_of_a_header) return std::nullopt;
  return place;
}

std::optional<LogRing::Place> LogRing::last_before(std::uint64_t head) {
  const auto count = std::min(longest_record, sectors_);
  for (std::uint64_t back = 1; back <= count; ++back) {
    const auto at = (head + sectors_ - back) % sectors_;
    if (base::load<base::be32>(read(at, 1)) == record_magic) return place_at(at);
  }
  return std::nullopt;
}

bool LogRing::is_clean() {
  const auto head = newest_end() % sectors_;
  const auto last = last_before(head);
  if (!last || last->header.operations != 1 || (last->at + last->sectors()) % sectors_ != head) return false;
  const auto operation = base::load<Operation>(read(last->at + last->header_sectors, 1));
  return operation.flags & op_unmount;
}

bool LogRing::has_sum(const RecordHeader& header, std::span<const std::byte> headers,
                      std::span<const std::byte> body) const {
  const std::uint32_t stored = header.crc;
  if (stored == 0 && !must_sum_) return true;
  const auto more = (header.bytes + bytes_of_a_header - 1) / bytes_of_a_header;
  return std::ranges::any_of(summed_header_bytes, [&](std::size_t summed) {
    std::vector<std::byte> first(headers.begin(), headers.begin() + std::ptrdiff_t(summed));
    base::store(std::span(first), offsetof(RecordHeader, crc), base::le32(0));
    std::uint32_t crc = add(~0u, first);
    for (std::size_t i = 1; header.version == 2 && i < more; ++i)
      crc = add(crc, headers.subspan(i * log_sector, sizeof(RecordHeaderMore)));
    return ~add(crc, body.first(header.bytes)) == stored;
  });
}

std::optional<Record> LogRing::whole_record(const Place& place) {
  const auto headers = read(place.at, place.header_sectors);
  Record record{place.header, read(place.at + place.header_sectors, place.sectors() - place.header_sectors)};
  if (!has_sum(place.header, headers, record.body)) return std::nullopt;
  for (std::size_t i = 0; i < record.body.size() / log_sector; ++i) {
    const std::size_t header = i / 64;
    const auto words = header == 0 ? offsetof(RecordHeader, first_words)
                                   : header * log_sector + offsetof(RecordHeaderMore, first_words);
    std::ranges::copy(std::span(headers).subspan(words + i % 64 * 4, 4),
                      record.body.begin() + std::ptrdiff_t(i * log_sector));
  }
  record.body.resize(place.header.bytes);
  return record;
}

// Of the last records that can have been in flight the first that is not whole ends the log; the last one before it
// says where it begins.
LogRing::Range LogRing::find_range() {
  std::uint64_t head = find_head(), end = head;
  std::optional<Place> last_whole;
  for (unsigned i = 0; i < most_in_flight; ++i) {
    const auto place = last_before(end);
    if (!place) break;
    const bool is_whole = (place->at + place->sectors()) % sectors_ == end && whole_record(*place);
    if (!is_whole) {
      head = place->at;
      last_whole.reset();
    } else if (!last_whole) {
      last_whole = place;
    }
    end = place->at;
    if (is_whole && std::uint32_t(place->header.tail) == place->at) break;
  }
  if (!last_whole) throw damaged("has no end", head);
  return {std::uint32_t(last_whole->header.tail), head};
}

const LogRing::Range& LogRing::range() {
  if (!range_) range_ = find_range();
  return *range_;
}

void LogRing::visit(const RecordVisitor& visitor) {
  const auto [tail, head] = range();
  if (tail >= sectors_) throw damaged("begins beyond its end", 0);
  std::optional<std::uint32_t> round;
  for (std::uint64_t at = tail, left = sectors_; at != head || left == sectors_;) {
    const auto place = place_at(at);
    if (!place) throw damaged("has no record where one should be", at);
    const std::uint32_t cycle = place->header.cycle;
    const bool is_next = !round || cycle == *round;
    const auto record = whole_record(*place);
    if (!record || !is_next || place->header.place != (std::uint64_t(cycle) << 32 | place->at))
      throw damaged("has a record that is damaged", at);
    if (place->sectors() > left) throw damaged("has no end", at);
    visitor(*record);
    left -= place->sectors();
    at += place->sectors();
    round = at >= sectors_ ? cycle + 1 : cycle;
    at %= sectors_;
  }
}

}  // namespace hrvm::fs::xfs
