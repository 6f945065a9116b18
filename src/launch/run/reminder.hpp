// Reminder: how to leave a machine on a terminal, said again where the guest's firmware has wiped it off the screen.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "hrvm/launch/console_log.hpp"
#include "launch/run/console_lines.hpp"

namespace hrvm::launch {

// When to say it: a guest that prints is not interrupted, one that has fallen silent after it wiped the screen is.
// Behind a line that has not ended it waits for an answer; without one it may be loading, which takes an emulated one
// longer.
class WipeWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds silence_after_prompt{3}, silence{10};
  static constexpr unsigned most_times = 3;  // firmware, loader and system may each wipe the screen

  void feed(std::string_view bytes, Time now);
  // Once for each wipe.
  bool is_due(Time now);
  // The line that has not ended: what the guest asks.
  const std::string& prompt() const { return lines_.unfinished(); }

 private:
  bool wipes(std::string_view bytes);
  ConsoleLines lines_;
  std::string last_;  // bytes of a sequence that may go on
  bool wiped_ = false;
  unsigned times_ = 0;
  Time last_byte_{};
};

class Reminder {
 public:
  Reminder(const machine::Path& log, std::string text) : log_(log, true), text_(std::move(text)) {}
  // What is to be written to the terminal now.
  std::optional<std::string> look(WipeWatch::Time now);

 private:
  ConsoleReader log_;
  std::string text_;
  WipeWatch watch_;
};

}  // namespace hrvm::launch
