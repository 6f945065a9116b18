// ReferenceCounts: for every cluster of an image file, how often it is used, and how often the file says so.
//
// Counts live in pages, made when one of their clusters is first touched. When the pages in memory reach their limit,
// further ones are put off: what belongs to them is dropped, and they get their turn in another pass.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace hrvm::image {

inline constexpr std::uint64_t most_checked_clusters = 1ull << 36;

// Thrown when clusters used more than 15 times take too much: the caller begins anew with smaller passes.
struct CountsFull {};

struct ClusterCount {
  std::uint64_t cluster;
  std::uint32_t recorded, used;  // both stop at 2^32 - 1
};

class ReferenceCounts {
 public:
  static constexpr std::uint64_t usual_page_bytes = 256ull << 20, small_page_bytes = 32ull << 20;

  // `limit` is for pages of one byte a cluster.
  ReferenceCounts(std::uint64_t clusters, std::uint64_t limit);

  void add(std::uint64_t cluster, std::uint32_t references) {
    auto* bytes = pages_[cluster >> page_bits].narrow.get();
    if (bytes == nullptr) return add_slowly(cluster, references);
    auto& cell = bytes[cluster & page_mask];
    if ((cell & low) + references > low) return add_slowly(cluster, references);
    cell = std::uint8_t(cell + references);
  }
  void set_recorded(std::uint64_t cluster, std::uint64_t count);

  // What was recorded: nothing behind the end; nullopt while the cluster's page is put off or done.
  std::optional<std::uint32_t> recorded(std::uint64_t cluster) const {
    if (cluster >> page_bits >= pages_.size()) return 0;
    const auto& page = pages_[cluster >> page_bits];
    if (page.narrow) return page.narrow[cluster & page_mask] >> 4;
    return recorded_elsewhere(page, cluster);
  }
  // The same for both counts.
  std::optional<ClusterCount> at(std::uint64_t cluster) const;

  using Visitor = std::function<void(const ClusterCount&)>;
  // Clusters of the pages in memory, in order: those whose counts differ; those that are used at all.
  void visit_differences(const Visitor& visit) const;
  void visit_used(const Visitor& visit) const;
  // The last cluster of those in memory that is used or recorded.
  std::optional<std::uint64_t> last_in_use() const;

  bool has_put_off() const { return put_off_ != 0; }
  // Done with the pages in memory: those put off are counted from now on.
  void next_pass();

 private:
  static constexpr unsigned page_bits = 16;
  static constexpr std::uint64_t page_clusters = 1ull << page_bits, page_mask = page_clusters - 1;
  static constexpr std::uint8_t low = 0x0f;
  enum class State : std::uint8_t { untouched, here, put_off, done };
  struct Wide {
    std::uint32_t recorded = 0, used = 0;
  };
  struct Page {
    std::unique_ptr<std::uint8_t[]> narrow;  // recorded << 4 | used
    std::unique_ptr<Wide[]> wide;
    State state = State::untouched;
  };

  bool make_ready(Page& page);
  void widen(Page& page);
  void add_slowly(std::uint64_t cluster, std::uint32_t references);
  static std::optional<std::uint32_t> recorded_elsewhere(const Page& page, std::uint64_t cluster);
  static Wide cell(const Page& page, std::uint64_t index);
  template <typename Visit, typename Wanted, typename Uninteresting>
  void visit_page(std::uint64_t index, const Visit& visitor, Wanted wanted, Uninteresting uninteresting) const;
  template <typename Wanted, typename Uninteresting>
  void visit(const Visitor& visitor, Wanted wanted, Uninteresting uninteresting) const;

  std::vector<Page> pages_;
  std::uint64_t limit_, narrow_bytes_ = 0, wide_bytes_ = 0, put_off_ = 0;
};

}  // namespace hrvm::image
