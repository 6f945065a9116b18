// Machines that are to have automatic snapshots, and the timer that would make them.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/launch/autostart.hpp"

namespace hrvm::doctor {

// What makes them in another store than the units' own, or without systemd, is a person's, and not known.
Results check_auto_snapshot(const Circumstances& at, bool is_of_units) {
  auto problems = for_each_machine(at, "auto-snapshot", [&](const machine::Machine& machine) -> Results {
    if (!machine.definition.auto_snapshot || !is_of_units || !launch::has_systemd(at.host) ||
        launch::is_snapshot_timer_enabled(at.host))
      return {};
    return {{"auto-snapshot", Status::warning,
             fmt::format("{} is to have automatic snapshots, and gets none: {} is not enabled", machine.name,
                         launch::snapshot_timer),
             fmt::format("systemctl enable --now {}", launch::snapshot_timer)}};
  });
  return or_ok("auto-snapshot", std::move(problems), "what is to have automatic snapshots gets them");
}

Results check_auto_snapshot(const Circumstances& at) {
  return check_auto_snapshot(at, launch::is_store_of_units(at.store));
}

}  // namespace hrvm::doctor
