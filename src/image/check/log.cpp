#include "image/check/log.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/text.hpp"

namespace hrvm::image {
namespace {

constexpr std::size_t most_corruptions = 100, most_warnings = 30;

enum class Counts { corruption, leak, error };

constexpr const char* refcount_words = "{3} clusters from {0:#x} on have refcount {1}, and are used {2} times";
constexpr const char* one_refcount_words = "the cluster at {0:#x} has refcount {1}, and is used {2} times";

// {0}: offset, {1} and {2}: what the kind speaks of, {3}: times.
struct Kind {
  const char* id;
  Counts counts;
  const char* words;
  bool loses_sight = false;  // of what it leads to
};
// In the order of Trouble.
constexpr std::array<Kind, 18> kinds = {{
    {"leaked-clusters", Counts::leak, refcount_words},
    {"refcount-too-low", Counts::corruption, refcount_words},
    {"refcount-overflow", Counts::corruption,
     "the cluster at {0:#x} is used {1} times, and refcounts of this image end at {2}"},
    {"copied-flag", Counts::corruption,
     "the entry at {0:#x} ({1:#x}) has the wrong \"copied\" flag for a refcount of {2}"},
    {"outside-the-file", Counts::corruption,
     "the entry at {0:#x} leads to {2} bytes at {1:#x}, behind the end of the file"},
    {"unaligned-table", Counts::corruption,
     "the entry at {0:#x} leads to a table at {1:#x}, which is no cluster's begin"},
    {"unaligned-data", Counts::corruption, "the entry at {0:#x} leads to data at {1:#x}, which is no cluster's begin"},
    {"reserved-bits", Counts::corruption, "the entry at {0:#x} ({1:#x}) has bits set that must be zero"},
    {"compressed-flags", Counts::corruption,
     "the entry at {0:#x} ({1:#x}) of a compressed cluster has flags that only others have"},
    {"subcluster-bitmap", Counts::corruption,
     "the entry at {0:#x} ({1:#x}) and its subcluster bitmap {2:#x} contradict each other"},
    {"refcount-table-entry", Counts::corruption, "entry {2} of the refcount table ({1:#x}) leads to no refcount block"},
    {"refcount-block-shared", Counts::corruption,
     "the refcount block at {1:#x} is used {2} times, by other things as well"},
    {"snapshot-entry", Counts::corruption, "snapshot {1} in the table at {0:#x} is damaged"},
    {"snapshot-entry", Counts::corruption, "snapshot {1} in the table at {0:#x} leads to no table", true},
    {"snapshot-table", Counts::corruption,
     "the table of snapshots at {0:#x} has {1} bytes, and goes behind the end of the file", true},
    {"bitmap-directory", Counts::corruption, "the bitmap directory at {0:#x} is damaged", true},
    {"tables-overlap", Counts::error, "the tables lie in each other: those from {0:#x} on were not read", true},
    {"unreadable", Counts::error, "{2} bytes of metadata at {0:#x} cannot be read", true},
}};

const Kind& kind_of(Trouble trouble) { return kinds[std::size_t(trouble)]; }

bool is_about_counts(Trouble trouble) {
  constexpr Trouble about_counts[] = {Trouble::refcount_too_low, Trouble::refcount_overflow, Trouble::block_entry,
                                      Trouble::block_shared};
  return std::ranges::find(about_counts, trouble) != std::end(about_counts);
}

}  // namespace

std::string way_out(const std::string& image) {
  const auto quoted = base::shell_quote(image);
  return fmt::format("copy what it shows into a new image: hrvm image convert {} {}", quoted,
                     base::shell_quote(image + ".new"));
}

void CheckLog::note(Trouble trouble, std::uint64_t times, std::uint64_t offset, std::uint64_t a, std::uint64_t b) {
  if (times == 0) return;
  const auto& kind = kind_of(trouble);
  const bool is_leak = kind.counts == Counts::leak;
  (is_leak ? result_.leaks : kind.counts == Counts::error ? result_.errors : result_.corruptions) += times;
  if (is_about_counts(trouble)) wrong_counts_ += times;
  has_damaged_snapshots_ |= trouble == Trouble::snapshot;
  const bool is_one_cluster = kind.words == refcount_words && times == 1;
  const auto* words = is_one_cluster ? one_refcount_words : kind.words;
  const auto message = [&] { return fmt::format(fmt::runtime(words), offset, a, b, times); };
  if (kind.loses_sight && lost_sight_of_.empty()) lost_sight_of_ = message();
  auto& list = is_leak ? warnings_ : result_.findings;
  if (list.size() == (is_leak ? most_warnings : most_corruptions)) {
    ++result_.more_findings;
    return;
  }
  const auto repair =
      fmt::format("hrvm image check --repair {} {}", is_leak ? "leaks" : "all", base::shell_quote(image_));
  list.push_back({{kind.id, is_leak ? base::Severity::warning : base::Severity::error, image_, message(),
                   kind.loses_sight ? way_out(image_) : repair},
                  offset});
}

void CheckLog::warn(std::string id, std::uint64_t offset, std::string message) {
  warnings_.push_back({{std::move(id), base::Severity::warning, image_, std::move(message),
                        "hrvm image check --repair all " + base::shell_quote(image_)},
                       offset});
}

CheckResult CheckLog::finish() && {
  result_.findings.insert(result_.findings.end(), warnings_.begin(), warnings_.end());
  return std::move(result_);
}

}  // namespace hrvm::image
