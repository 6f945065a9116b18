// Screen: what a guest prints on its serial line, held against a pattern, and shown line by line.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/launch/run.hpp"
#include "launch/run/console_lines.hpp"
#include "launch/run/pattern.hpp"

namespace hrvm::launch {

class Screen {
 public:
  explicit Screen(const WatchRequest& request);

  void feed(std::string_view bytes);
  // To be called where nothing came: a line that has not ended for a while will hardly go on.
  void look_at_prompt();

  const std::optional<std::string>& matched() const { return matched_; }  // printable
  const std::optional<std::string>& failed() const { return failed_; }    // printable
  std::vector<std::string> tail() const;                                  // printable

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& line);
  void match(const std::string& line);

  const std::function<void(const std::string&)>& on_line_;
  BootJudge* judge_;
  std::optional<Pattern> pattern_, failure_;
  ConsoleLines lines_;
  std::deque<std::string> tail_;
  std::optional<std::string> matched_, failed_;
  Clock::time_point last_byte_ = Clock::now();
  bool looked_at_prompt_ = true;
};

}  // namespace hrvm::launch
