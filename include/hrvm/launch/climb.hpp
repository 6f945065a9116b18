// The climb: a machine is tried on one rung of the ladder after another, each in a throw-away layer, until it comes up.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/launch/boot.hpp"
#include "hrvm/launch/ladder.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::launch {

struct Try {
  Rung rung;
  Verdict verdict;
  std::chrono::seconds took{};
  std::vector<std::string> console_tail;
};

// Hears of the tries as they begin (the first is number 1) and end.
struct ClimbListener {
  std::function<void(std::size_t number, const Rung& rung)> begins;
  std::function<void(const Try& tried)> ended;
};

// All that were made; the last one came up, or none did. How far a try came decides which rung is next.
std::vector<Try> climb(std::vector<Rung> rungs, const std::function<Try(const Rung&)>& try_rung,
                       const ClimbListener& listener);

// Those that the machine could boot on here, the one that it is set to first.
std::vector<Rung> first_ladder(const sys::Host& host, const machine::Machine& machine);

// Boots it once on this rung, and leaves nothing behind. `request` is for a throw-away layer and a supervised run; it
// is given up when it is not up within `patience`, or in five minutes. `on_line` hears what the guest prints.
Try try_rung(const sys::Host& host, const machine::Store& store, BootRequest request, const Rung& rung,
             std::optional<std::chrono::seconds> patience, const Listener& listener,
             const std::function<void(const std::string&)>& on_line);

// Sets the machine to it from its next boot on. Whether that is another hardware than it had.
bool keep_rung(const sys::Host& host, const machine::Store& store, const std::string& name, const Rung& rung);

}  // namespace hrvm::launch
