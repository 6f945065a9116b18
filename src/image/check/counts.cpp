#include "image/check/counts.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace hrvm::image {
namespace {

constexpr std::uint64_t most_wide_bytes = 256ull << 20;
constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t low_nibbles = 0x0f0f0f0f0f0f0f0f;

std::uint32_t saturated(std::uint64_t value) { return std::uint32_t(std::min<std::uint64_t>(value, most)); }

std::uint64_t eight(const std::uint8_t* cells) {
  std::uint64_t word;
  std::memcpy(&word, cells, sizeof word);
  return word;
}

}  // namespace

ReferenceCounts::ReferenceCounts(std::uint64_t clusters, std::uint64_t limit)
    : pages_((clusters >> page_bits) + 1), limit_(limit) {}

bool ReferenceCounts::make_ready(Page& page) {
  if (page.state == State::here) return true;
  if (page.state != State::untouched) return false;
  if (narrow_bytes_ + page_clusters > limit_) {
    page.state = State::put_off;
    ++put_off_;
    return false;
  }
  narrow_bytes_ += page_clusters;
  page.narrow = std::make_unique<std::uint8_t[]>(page_clusters);
  page.state = State::here;
  return true;
}

void ReferenceCounts::widen(Page& page) {
  if (page.wide) return;
  wide_bytes_ += page_clusters * sizeof(Wide);
  if (wide_bytes_ > most_wide_bytes && limit_ > small_page_bytes) throw CountsFull{};
  auto wide = std::make_unique<Wide[]>(page_clusters);
  for (std::uint64_t i = 0; i < page_clusters; ++i) wide[i] = cell(page, i);
  page.wide = std::move(wide);
  page.narrow.reset();
}

void ReferenceCounts::add_slowly(std::uint64_t cluster, std::uint32_t references) {
  auto& page = pages_[cluster >> page_bits];
  if (!make_ready(page)) return;
  const auto index = cluster & page_mask;
  if (page.narrow && (page.narrow[index] & low) + std::uint64_t(references) <= low) {
    page.narrow[index] = std::uint8_t(page.narrow[index] + references);
    return;
  }
  widen(page);
  auto& used = page.wide[index].used;
  used = saturated(std::uint64_t(used) + references);
}

void ReferenceCounts::set_recorded(std::uint64_t cluster, std::uint64_t count) {
  auto& page = pages_[cluster >> page_bits];
  if (!make_ready(page)) return;
  const auto index = cluster & page_mask;
  if (page.narrow && count <= low) {
    page.narrow[index] = std::uint8_t((page.narrow[index] & low) | count << 4);
    return;
  }
  widen(page);
  page.wide[index].recorded = saturated(count);
}

ReferenceCounts::Wide ReferenceCounts::cell(const Page& page, std::uint64_t index) {
  if (page.wide) return page.wide[index];
  const unsigned both = page.narrow[index];
  return {both >> 4, both & unsigned(low)};
}

// A page that nothing has touched records nothing.
std::optional<std::uint32_t> ReferenceCounts::recorded_elsewhere(const Page& page, std::uint64_t cluster) {
  if (page.wide) return page.wide[cluster & page_mask].recorded;
  if (page.state == State::untouched) return 0;
  return std::nullopt;
}

std::optional<ClusterCount> ReferenceCounts::at(std::uint64_t cluster) const {
  const auto& page = pages_[cluster >> page_bits];
  if (page.state == State::untouched) return ClusterCount{cluster, 0, 0};
  if (page.state != State::here) return std::nullopt;
  const auto found = cell(page, cluster & page_mask);
  return ClusterCount{cluster, found.recorded, found.used};
}

template <typename Visit, typename Wanted, typename Uninteresting>
void ReferenceCounts::visit_page(std::uint64_t index, const Visit& visitor, Wanted wanted,
                                 Uninteresting uninteresting) const {
  constexpr std::uint64_t step = sizeof(std::uint64_t);
  const auto& page = pages_[index];
  for (std::uint64_t i = 0; i < page_clusters; i += step) {
    if (page.narrow && uninteresting(eight(&page.narrow[i]))) continue;
    for (auto k = i; k < i + step; ++k) {
      const auto found = cell(page, k);
      if (wanted(found)) visitor({index << page_bits | k, found.recorded, found.used});
    }
  }
}

template <typename Wanted, typename Uninteresting>
void ReferenceCounts::visit(const Visitor& visitor, Wanted wanted, Uninteresting uninteresting) const {
  for (std::uint64_t p = 0; p < pages_.size(); ++p)
    if (pages_[p].state == State::here) visit_page(p, visitor, wanted, uninteresting);
}

void ReferenceCounts::visit_differences(const Visitor& visitor) const {
  visit(
      visitor, [](const Wide& cell) { return cell.recorded != cell.used; },
      [](std::uint64_t word) { return ((word ^ word >> 4) & low_nibbles) == 0; });
}

void ReferenceCounts::visit_used(const Visitor& visitor) const {
  visit(
      visitor, [](const Wide& cell) { return cell.used != 0; },
      [](std::uint64_t word) { return (word & low_nibbles) == 0; });
}

std::optional<std::uint64_t> ReferenceCounts::last_in_use() const {
  std::optional<std::uint64_t> last;
  for (auto p = pages_.size(); p-- > 0 && !last;) {
    if (pages_[p].state != State::here) continue;
    visit_page(
        p, [&](const ClusterCount& found) { last = found.cluster; },
        [](const Wide& cell) { return cell.recorded != 0 || cell.used != 0; },
        [](std::uint64_t word) { return word == 0; });
  }
  return last;
}

void ReferenceCounts::next_pass() {
  for (auto& page : pages_) {
    page.narrow.reset();
    page.wide.reset();
    if (page.state == State::here) page.state = State::done;
    if (page.state == State::put_off) page.state = State::untouched;
  }
  narrow_bytes_ = wide_bytes_ = put_off_ = 0;
}

}  // namespace hrvm::image
