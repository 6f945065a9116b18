#include "launch/run/screen.hpp"

#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

constexpr std::chrono::milliseconds silence_after_prompt{250};
constexpr std::size_t tail_lines = 20;

}  // namespace

Screen::Screen(const WatchRequest& request) : on_line_(request.on_line), judge_(request.judge) {
  if (request.wait_for) pattern_.emplace(*request.wait_for);
  if (request.fail_on) failure_.emplace(*request.fail_on);
}

void Screen::feed(std::string_view bytes) {
  last_byte_ = Clock::now();
  looked_at_prompt_ = false;
  for (const auto& line : lines_.feed(bytes)) show(line);
}

void Screen::look_at_prompt() {
  if (looked_at_prompt_ || Clock::now() - last_byte_ < silence_after_prompt) return;
  looked_at_prompt_ = true;
  match(lines_.unfinished());
  if (judge_ && !lines_.unfinished().empty()) judge_->line(lines_.unfinished(), Clock::now());
}

std::vector<std::string> Screen::tail() const {
  std::vector<std::string> all(tail_.begin(), tail_.end());
  if (!lines_.unfinished().empty()) all.push_back(base::printable(lines_.unfinished()));
  return all;
}

void Screen::show(const std::string& line) {
  match(line);
  if (judge_) judge_->line(line, Clock::now());
  tail_.push_back(base::printable(line));
  if (tail_.size() > tail_lines) tail_.pop_front();
  if (on_line_) on_line_(tail_.back());
}

void Screen::match(const std::string& line) {
  if (matched_ || failed_ || line.empty()) return;
  if (failure_ && failure_->matches(line))
    failed_ = base::printable(line);
  else if (pattern_ && pattern_->matches(line))
    matched_ = base::printable(line);
}

}  // namespace hrvm::launch
