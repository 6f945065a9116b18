#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {

namespace {

// Whoever owns the folder could put sockets of his own in the place of ours.
bool can_be_ours(const Path& folder) try {
  return sys::is_own_folder(folder) || sys::link_status(folder).type == sys::FileType::missing;
} catch (const base::Error&) {
  return false;  // we may not even look
}

Path parent_of_run_folders(const sys::Host& host) {
  if (host.is_root()) return "/run/hrvm";
  const Path runtime = host.variable("XDG_RUNTIME_DIR").value_or("");
  if (runtime.is_absolute() && can_be_ours(runtime)) return runtime / "hrvm";
  // Where a session's variables are missing, as after su, it may be there all the same.
  if (const Path usual = fmt::format("/run/user/{}", host.uid); sys::is_own_folder(usual)) return usual / "hrvm";
  const Path temporary = fmt::format("/tmp/hrvm-{}", host.uid), home = host.variable("HOME").value_or("");
  return can_be_ours(temporary) || !home.is_absolute() ? temporary : home / ".cache/hrvm/run";
}

}  // namespace

Path run_folder(const sys::Host& host, const Definition& definition) {
  return parent_of_run_folders(host) / definition.uuid.text();
}

}  // namespace hrvm::machine
