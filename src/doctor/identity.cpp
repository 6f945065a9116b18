// Machines that are copies of others, made by copying their folder: both have one UUID and one MAC address.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {

Results check_identity(const Circumstances& at) {
  Results problems;
  for (const auto& [copy, original] : machine::find_copies(at.store, at.machine.value_or("")))
    problems.push_back(
        {"identity", Status::error,
         fmt::format("{0} is a copy of {1}: both have one UUID and one MAC address, and {0} does not run beside {1}",
                     copy, original),
         fmt::format("give it its own: hrvm doctor {} --fix", copy)});
  return or_ok("identity", std::move(problems), "no machine is a copy of another");
}

// Which of the two is to be another machine a person says by naming it.
void fix_identity(const Circumstances& at) {
  const auto copies = machine::find_copies(at.store, at.machine.value_or(""));
  if (copies.empty()) return;
  const auto& name = copies.front().name;
  if (at.machine != name)
    throw base::Error(base::ErrorKind::unsupported, "the copy has to be named")
        .hint(fmt::format("hrvm doctor {} --fix", name));
  const auto lock = at.store.lock(name);
  const auto machine = launch::load_settled(at.host, at.store, name);
  if (machine::run_state(machine) == machine::RunState::running)
    throw base::Error(base::ErrorKind::busy, fmt::format("{} runs", name)).hint(fmt::format("hrvm stop {}", name));
  // The domain that these name is that of the original.
  launch::forget_domain_record(machine.folder);
  sys::remove_all(machine.folder / "libvirt-away.json");
  apply(at.store, machine,
        plan_identity(machine, at.host.new_guid(), machine::draw_mac(at.host), draw(at.host, at.store)),
        [](std::uint64_t) {});
}

}  // namespace hrvm::doctor
