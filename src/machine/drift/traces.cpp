#include "machine/drift/traces.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {
namespace {

constexpr std::string_view modified = ": modified", changed = ": changed", counter = "write counter";
constexpr std::string_view rest = "; ";      // what stands behind it is told, and decides nothing
constexpr std::uint64_t sector_bytes = 512;  // of the kernel's counts, whatever the disk's are
// Places in /sys/block/NAME/stat (the kernel's Documentation/block/stat.rst). Kernels before 4.18 count no discards.
constexpr std::size_t written_sectors = 6, discarded_sectors = 13;

// A qcow2 file's marks have the time of its last write.
void add_file_traces(std::vector<Mark>& traces, const std::string& path, bool with_modified) {
  const auto status = sys::status(path);
  if (with_modified) traces.push_back({path + std::string(modified), time_text(status.modified)});
  traces.push_back(
      {path + std::string(changed), fmt::format("{}{}inode {}, {} bytes allocated", time_text(status.changed), rest,
                                                status.inode, status.allocated_bytes)});
}

std::vector<std::string> words_of_line(const std::string& line) {
  std::vector<std::string> words;
  for (const auto word : base::split(line, ' '))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

std::optional<std::uint64_t> count(const std::vector<std::string>& stat, std::size_t place) {
  return place < stat.size() ? base::parse_unsigned(stat[place]) : std::nullopt;
}

// By its own name in /dev, whatever link leads to it.
std::string kernel_name(const sys::Host& host, const std::string& path) {
  try {
    return sys::canonical(host.path(path)).filename();
  } catch (const base::Error&) {
    return sys::Path(path).filename();
  }
}

// The counts begin anew when the host starts, or the disk is attached again.
std::optional<std::string> counter_text(const sys::Host& host, const std::string& path) {
  const auto folder = host.path("/sys/class/block") / kernel_name(host, path);
  const auto boot = sys::try_read_line(host.path("/proc/sys/kernel/random/boot_id"));
  const auto line = sys::try_read_line(folder / "stat");
  if (!boot || !line || sys::try_read_number(folder / "queue/iostats") == std::uint64_t(0)) return std::nullopt;
  const auto stat = words_of_line(*line);
  const auto written = count(stat, written_sectors);
  if (!written) return std::nullopt;
  return fmt::format("{} + {} sectors{}since boot {}, attached as {}", *written,
                     count(stat, discarded_sectors).value_or(0), rest, *boot,
                     sys::try_read_line(folder / "diskseq").value_or("?"));
}

void add_traces(std::vector<Mark>& traces, const sys::Host& host, const probe::Disk& base, const std::string& prefix) {
  if (base.kind == probe::DiskKind::disk) {
    if (auto text = counter_text(host, base.path)) traces.push_back({prefix + std::string(counter), *std::move(text)});
    return;
  }
  if (base.path.empty() || base.kind != probe::DiskKind::image) return;
  if (base.files.empty()) add_file_traces(traces, base.path, true);
  for (const auto& file : base.files)
    if (!file.is_device) add_file_traces(traces, file.path, false);
}

std::string decisive(const std::string& text) { return text.substr(0, text.find(rest)); }
std::string told(const std::string& text) {
  const auto at = text.find(rest);
  return at == text.npos ? "" : text.substr(at);
}

bool is_counter(const std::string& what) { return what.ends_with(counter); }

// "4096 + 8 sectors; …".
std::uint64_t sum_of_counts(const std::string& text) {
  const auto words = words_of_line(text);
  return count(words, 0).value_or(0) + count(words, 2).value_or(0);
}

// A count that went back is another one, of a kernel that does not number what is attached.
bool can_be_compared(const std::string& what, const std::string& then, const std::string& now) {
  if (now.empty()) return false;
  if (!is_counter(what)) return true;
  return told(then) == told(now) && sum_of_counts(now) >= sum_of_counts(then);
}

std::string before(const std::string& what, std::string_view suffix) {
  return what.substr(0, what.size() - suffix.size());
}

std::string without_nanoseconds(const std::string& text) { return text.substr(0, text.find(' ')); }

std::string touch(const MarkComparison& trace) {
  if (is_counter(trace.what)) {
    const auto bytes = (sum_of_counts(trace.now) - sum_of_counts(trace.then)) * sector_bytes;
    const auto prefix = before(trace.what, counter);
    return fmt::format("{} were written to {}", base::format_bytes(bytes),
                       prefix.empty() ? "it" : prefix.substr(0, prefix.find(',')));
  }
  const bool is_write = trace.what.ends_with(modified);
  return fmt::format("{} {} at {}", before(trace.what, is_write ? modified : changed),
                     is_write ? "was written" : "was given another mode, owner, name or time",
                     without_nanoseconds(trace.now));
}

const Mark* find_mark(const std::vector<Mark>& marks, const std::string& what) {
  const auto found = std::ranges::find(marks, what, &Mark::what);
  return found == marks.end() ? nullptr : &*found;
}

std::string kind_of_trace(const std::string& what) {
  if (is_counter(what)) return std::string(counter);
  return what.ends_with(modified) ? "mtime" : "ctime";
}

// Whoever writes to a file also changes it: that is said once.
bool goes_without_saying(const std::vector<MarkComparison>& traces, const MarkComparison& trace) {
  if (!trace.what.ends_with(changed)) return false;
  const auto write = before(trace.what, changed) + std::string(modified);
  return std::ranges::any_of(traces, [&](const auto& each) { return each.what == write && !each.same; });
}

}  // namespace

std::string time_text(std::chrono::sys_time<std::chrono::nanoseconds> time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{} + {} ns", base::format_time(seconds), (time - seconds).count());
}

std::vector<Mark> read_traces(const sys::Host& host, const std::vector<probe::Disk>& bases) {
  std::vector<Mark> traces;
  for (std::size_t i = 0; i < bases.size(); ++i)
    add_traces(traces, host, bases[i], i == 0 ? "" : fmt::format("disk {}, ", i + 1));
  return traces;
}

std::vector<MarkComparison> compare_traces(const Fingerprint& then, const Fingerprint& now) {
  std::vector<MarkComparison> all;
  for (const auto& trace : then.traces) {
    const auto* found = find_mark(now.traces, trace.what);
    const auto text = found ? found->value : std::string();
    const bool is_known = can_be_compared(trace.what, trace.value, text);
    all.push_back({trace.what, trace.value, text, is_known && decisive(trace.value) == decisive(text), is_known});
  }
  return all;
}

std::vector<std::string> touches(const std::vector<MarkComparison>& traces) {
  std::vector<std::string> texts;
  for (const auto& trace : traces)
    if (trace.is_known && !trace.same && !goes_without_saying(traces, trace)) texts.push_back(touch(trace));
  return texts;
}

std::vector<std::string> looked_at(const Fingerprint& fingerprint, const std::vector<MarkComparison>& traces) {
  std::vector<std::string> texts;
  std::size_t areas = 0, folders = 0, samples = 0;
  for (const auto& mark : fingerprint.marks) {
    if (mark.what.ends_with("size")) samples += samples_of_a_disk;
    if (mark.what.ends_with(": sample")) continue;
    if (mark.what.find(": ") == mark.what.npos)
      texts.push_back(mark.what);
    else
      ++(mark.what.ends_with(": entries") ? folders : areas);
  }
  if (areas > 0) texts.push_back(areas == 1 ? "what lies on it" : fmt::format("{} partitions and volumes", areas));
  if (folders > 0) texts.emplace_back("size, owner and times of each file");
  if (samples > 0) texts.push_back(fmt::format("{} samples", samples));
  for (const auto& trace : traces)
    if (auto text = kind_of_trace(trace.what); trace.is_known && std::ranges::find(texts, text) == texts.end())
      texts.push_back(std::move(text));
  return texts;
}

}  // namespace hrvm::machine
