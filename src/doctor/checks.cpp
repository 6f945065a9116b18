#include "doctor/checks.hpp"

#include <array>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::doctor {

std::string_view word(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::warning:
      return "warning";
    case Status::error:
      return "error";
    case Status::skipped:
      return "skipped";
  }
  return "";
}

// What stops every machine first, then what stops one, then what only wastes space.
std::span<const Check> checks() {
  static constexpr std::array<Check, 23> all = {{
      {"kvm", check_kvm},
      {"qemu", check_qemu},
      {"uefi", check_uefi},
      {"sectors", check_sectors},
      {"storage", check_storage},
      {"space", check_space},
      {"journald", check_journald},
      {"libvirtd", check_libvirtd},
      {"virtlogd", check_virtlogd},
      {"network", check_network, fix_network, Fixes::host},
      {"polkit", check_polkit},
      {"definition", check_definition, fix_definition},
      {"identity", check_identity, fix_identity},
      {"base", check_base},
      {"denials", check_denials},
      {"layers", check_layers},
      {"chain", check_chain},
      {"domains", check_domains, fix_domains, Fixes::host},
      {"autostart", check_autostart},
      {"auto-snapshot", check_auto_snapshot},
      {"growth", check_growth},
      {"modes", check_modes, fix_modes},
      {"garbage", check_garbage, fix_garbage},
  }};
  return all;
}

std::vector<std::string> machine_names(const Circumstances& at) {
  return at.machine ? std::vector<std::string>{*at.machine} : at.store.names();
}

std::vector<machine::Machine> machines(const Circumstances& at) {
  std::vector<machine::Machine> loaded;
  for (const auto& name : machine_names(at)) {
    try {
      loaded.push_back(at.store.load(name));
    } catch (const base::Error&) {
      // Told by check_definition.
    }
  }
  return loaded;
}

Results or_ok(std::string id, Results problems, std::string message) {
  if (problems.empty()) problems.push_back({std::move(id), Status::ok, std::move(message), ""});
  return problems;
}

Results for_each_machine(const Circumstances& at, const std::string& id,
                         const std::function<Results(const machine::Machine&)>& examine) {
  Results all;
  const auto examined = machines(at);
  sys::Progress progress(at.host, "Examining machines", examined.size(), at.quiet, sys::Progress::Of::things);
  std::uint64_t done = 0;
  for (const auto& machine : examined) {
    progress.at(done++);
    try {
      for (auto& result : examine(machine)) all.push_back(std::move(result));
    } catch (const base::Error& error) {
      all.push_back({id, Status::error, machine.name + ": " + error.message(), error.hint()});
    }
  }
  return all;
}

}  // namespace hrvm::doctor
