#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::doctor {

static CheckResult judge(const sys::Path& store, const machine::StorageState& state) {
  const auto free = fmt::format("{} of {} are free on {}", base::format_bytes(state.available_bytes),
                                base::format_bytes(state.total_bytes), state.mount_point);
  if (!state.low_space) return {"space", Status::ok, free, ""};
  return {"space", Status::error, "machines will stop when they write: " + free,
          fmt::format("du -sh {}/*   (then hrvm snapshot delete --discard or hrvm remove what is not needed)",
                      base::shell_quote(store.string()))};
}

Results check_space(const Circumstances& at) {
  try {
    return {judge(at.store.folder(), machine::examine_storage(at.host, at.store.folder()))};
  } catch (const base::Error& error) {
    return {{"space", Status::error, error.message(), error.hint()}};
  }
}

}  // namespace hrvm::doctor
