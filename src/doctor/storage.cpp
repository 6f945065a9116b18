// A store in memory is lost with a reboot, and filling it stops the whole host.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::doctor {

// "/mnt/data (412.0 GiB free)" → "/mnt/data".
static std::string place_of(const std::string& alternative) { return alternative.substr(0, alternative.rfind(" (")); }

// Machines that are there already go along.
static std::string use_instead(const machine::Store& store, const sys::Path& place) {
  const auto folder = base::shell_quote(place.string());
  const auto names = store.names();
  const auto use = "export HRVM_STORE=" + folder;
  if (names.empty()) return use;
  if (names.size() == 1) return fmt::format("hrvm move {} {} && {}", names.front(), folder, use);
  return fmt::format("for machine in $(hrvm list -q); do hrvm move \"$machine\" {}; done && {}", folder, use);
}

static CheckResult judge(const machine::Store& machines, const machine::StorageState& state) {
  const auto& store = machines.folder();
  if (state.read_only) {
    return {"storage", Status::warning,
            fmt::format("{} cannot be written: {} ({}) is mounted read-only", store.string(), state.mount_point,
                        state.filesystem),
            "boot in a throw-away layer that lies elsewhere: hrvm boot --ephemeral --scratch DIR MACHINE"};
  }
  if (!state.volatile_storage) {
    return {"storage", Status::ok, fmt::format("{} is on {} ({})", store.string(), state.mount_point, state.filesystem),
            ""};
  }
  const auto message = fmt::format("{} does not survive a reboot: {}", store.string(), state.volatile_reason);
  if (state.alternatives.empty()) {
    return {"storage", Status::error, message,
            "mount a disk with room that is not imported, and use hrvm --store there"};
  }
  return {"storage", Status::error, message,
          use_instead(machines, sys::Path(place_of(state.alternatives[0])) / "hrvm")};
}

Results check_storage(const Circumstances& at) {
  try {
    return {judge(at.store, machine::examine_storage(at.host, at.store.folder()))};
  } catch (const base::Error& error) {
    return {{"storage", Status::error, error.message(), error.hint()}};
  }
}

}  // namespace hrvm::doctor
