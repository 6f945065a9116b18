// A store in memory is lost with a reboot, and filling it stops the whole host.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::doctor {

// "/mnt/data (412.0 GiB free)" → "/mnt/data".
static std::string place_of(const std::string& alternative) { return alternative.substr(0, alternative.rfind(" (")); }

static CheckResult judge(const sys::Path& store, const machine::StorageState& state) {
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
  const auto place = place_of(state.alternatives[0]);
  return {"storage", Status::error, message,
          fmt::format("export HRVM_STORE={}", base::shell_quote((sys::Path(place) / "hrvm").string()))};
}

Results check_storage(const Circumstances& at) {
  try {
    return {judge(at.store.folder(), machine::examine_storage(at.host, at.store.folder()))};
  } catch (const base::Error& error) {
    return {{"storage", Status::error, error.message(), error.hint()}};
  }
}

}  // namespace hrvm::doctor
