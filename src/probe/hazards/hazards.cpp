#include "probe/hazards/hazards.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

struct Check {
  void (*run)(const HazardContext& context, Findings& findings);
  bool needs_root;
};
// What keeps a system from starting comes first.
constexpr Check checks[] = {
    {check_root_name, false}, {check_drivers, false}, {check_lvm_devices, false}, {check_waits, false},
    {check_resume, false},    {check_mounts, true},   {check_keys, false},        {check_cluster, true},
    {check_network, true},    {check_console, false},
};

}  // namespace

void add_hazards(const HazardContext& context, Findings& findings) {
  for (const Check& check : checks) try {
      if (context.root != nullptr || !check.needs_root) check.run(context, findings);
    } catch (const base::Error&) {
      // A filesystem that is damaged in one place is reported where it was opened; the other checks go on.
    }
}

void check_drivers(const HazardContext& context, Findings& findings) {
  const auto& drivers = context.system.drivers;
  const auto none = [](const DriverEvidence& driver) { return driver.verdict == Verdict::no; };
  const auto virtio = std::ranges::find(drivers, Bus::virtio, &DriverEvidence::bus);
  if (virtio == drivers.end() || !none(*virtio)) return;
  // Where a name is the only reason, the name is what there is to mend.
  const auto& named_by = context.system.named_by;
  if (!named_by.empty() && virtio->because.starts_with(named_by)) return;
  const bool has_other =
      std::ranges::any_of(drivers, [](const DriverEvidence& each) { return each.verdict == Verdict::yes; });
  const std::string rescue =
      context.rescue_entry.empty()
          ? std::string()
          : fmt::format("; its entry \"{}\" often has the drivers of every bus", context.rescue_entry);
  findings.push_back(
      {"no-virtio-driver", has_other ? Severity::note : Severity::warning, context.system.root,
       fmt::format("its kernel cannot start from a virtio disk: {}{}", virtio->because, rescue),
       has_other ? "nothing: the machine gets a bus that it knows; for virtio make the initramfs anew in the "
                   "machine (dracut -f --no-hostonly, update-initramfs -u, mkinitcpio -P)"
                 : "choose an entry whose initramfs has more drivers, or make it anew on the computer itself"});
}

void check_console(const HazardContext& context, Findings& findings) {
  if (!context.system.boot || context.system.boot->command_line.empty() || context.system.boot->serial_console) return;
  findings.push_back({"no-serial-console", Severity::note, context.system.root,
                      "it says nothing on a serial console: there is no console=ttyS0 on its command line",
                      "boot with --console vnc or gui, or add console=tty0 console=ttyS0 in the boot loader's menu"});
}

void check_cluster(const HazardContext& context, Findings& findings) {
  if (!fs::exists(*context.root, "/etc/corosync/corosync.conf")) return;
  findings.push_back({"cluster-member", Severity::warning, context.system.root,
                      "it is a member of a cluster (/etc/corosync/corosync.conf): a second one of the same name on the "
                      "cluster's network disturbs it",
                      "start the machine isolated, as is the default (--net isolated)"});
}

}  // namespace hrvm::probe
