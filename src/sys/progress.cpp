#include <fmt/core.h>

#include <ostream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::sys {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds quiet_start{1};
constexpr std::chrono::milliseconds redraw_interval{200};
constexpr std::string_view erase_line = "\r\033[K";

std::string time_left(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s left", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min left", seconds / 60);
  const auto minutes = std::uint64_t(seconds / 60);
  return fmt::format("{} h {} min left", minutes / 60, minutes % 60);
}

}  // namespace

Progress::Progress(const Host& host, std::string title, std::uint64_t total, bool quiet, Of of)
    : host_(host),
      title_(std::move(title)),
      total_bytes_(total),
      shown_(host.streams.err_is_terminal && !quiet),
      of_(of),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) host_.streams.err << erase_line << std::flush;
}

void Progress::at(std::uint64_t done_bytes) {
  check_interrupted();
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - start_ < quiet_start || now - last_ < redraw_interval) return;
  last_ = now;
  draw(done_bytes);
}

std::string Progress::line(std::uint64_t done_bytes) const {
  const double percent = total_bytes_ > 0 ? 100.0 * double(done_bytes) / double(total_bytes_) : 0;
  if (of_ == Of::things) return fmt::format("{}  {} of {}  {:.0f} %", title_, done_bytes, total_bytes_, percent);
  const double seconds = std::chrono::duration<double>(last_ - start_).count();
  const double rate = double(done_bytes) / seconds;
  std::string line = fmt::format("{}  {}", title_, base::format_bytes(done_bytes));
  if (total_bytes_ > 0) line += fmt::format(" of {}  {:.0f} %", base::format_bytes(total_bytes_), percent);
  line += fmt::format("  {}/s", base::format_bytes(std::uint64_t(rate)));
  if (rate > 0 && done_bytes < total_bytes_) line += "  " + time_left(double(total_bytes_ - done_bytes) / rate);
  return line;
}

void Progress::draw(std::uint64_t done_bytes) {
  std::string line = this->line(done_bytes);
  // A line that wraps could not be erased; the last column stays free because some terminals wrap there already.
  if (line.size() >= host_.streams.columns) line.resize(host_.streams.columns - 1);
  host_.streams.err << erase_line << line << std::flush;
  drawn_ = true;
}

}  // namespace hrvm::sys
