// What AppArmor or SELinux kept libvirt's QEMU from: the machine ends with "Permission denied", and only the kernel's
// log says why.
#include <fmt/core.h>

#include <algorithm>

#include "doctor/checks.hpp"
#include "doctor/kernel_log.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::doctor {
namespace {

using machine::Machine;

constexpr std::size_t largest_audit_log = 32 << 20;

struct Denial {
  bool by_selinux = false;
  std::string path, subject;  // AppArmor's profile, SELinux's context
  friend bool operator==(const Denial&, const Denial&) = default;
};

// The value of `name="…"`; empty where there is none.
std::string_view quoted(std::string_view line, std::string_view name) {
  const auto key = " " + std::string(name) + "=\"";
  const auto begin = line.find(key);
  if (begin == line.npos) return {};
  const auto value = line.substr(begin + key.size());
  return value.substr(0, value.find('"'));
}

std::string_view context_of(std::string_view line) {
  const auto begin = line.find(" scontext=");
  if (begin == line.npos) return {};
  const auto value = line.substr(begin + std::string_view(" scontext=").size());
  return value.substr(0, value.find(' '));
}

std::optional<Denial> denial_in(std::string_view line) {
  if (line.find("apparmor=\"DENIED\"") != line.npos)
    return Denial{false, std::string(quoted(line, "name")), std::string(quoted(line, "profile"))};
  if (line.find("avc:  denied") == line.npos) return std::nullopt;
  return Denial{true, std::string(quoted(line, "path")), std::string(context_of(line))};
}

// virt-aa-helper makes a profile "libvirt-UUID" for each domain; SELinux has one type for all.
bool is_of_libvirt(const Denial& denial) {
  const std::string_view subject = denial.subject;
  if (denial.by_selinux) return subject.find(":svirt") != subject.npos || subject.find(":virt") != subject.npos;
  return subject.starts_with("libvirt-") || subject.find("virt-aa-helper") != subject.npos;
}

std::vector<Denial> denials(const sys::Host& host) {
  const auto text = kernel_log(host) + "\n" +
                    sys::try_read_file(host.path("/var/log/audit/audit.log"), largest_audit_log).value_or("");
  std::vector<Denial> found;
  for (const auto line : base::lines(text)) {
    auto denial = denial_in(line);
    if (!denial || denial->path.empty() || !is_of_libvirt(*denial)) continue;
    if (std::ranges::find(found, *denial) == found.end()) found.push_back(*std::move(denial));
  }
  return found;
}

bool is_base_of(const std::string& path, const Machine& machine) {
  return std::ranges::any_of(machine.definition.disks,
                             [&](const auto& base) { return path == base.path || path == base.stable_path; });
}

bool concerns(const Denial& denial, const Machine& machine) {
  const bool is_base = is_base_of(denial.path, machine);
  const bool names_it = denial.subject == "libvirt-" + machine.definition.uuid.text();
  return names_it || is_base || sys::lies_in(denial.path, machine.folder.string());
}

std::string remedy(const Circumstances& at, const Machine& machine, const Denial& denial) {
  const bool in_store = sys::lies_in(denial.path, machine.folder.string());
  if (!denial.by_selinux)
    return fmt::format("echo {} >> /etc/apparmor.d/local/abstractions/libvirt-qemu",
                       base::shell_quote(fmt::format("  \"{}\" {},", denial.path, in_store ? "rwk" : "rk")));
  // Another label is a change of the base, which stays as it is.
  if (!in_store) return fmt::format("hrvm boot {}   (without libvirt QEMU is not confined)", machine.name);
  const auto store = at.store.folder().string();
  return fmt::format("semanage fcontext -a -t svirt_image_t {} && restorecon -R {}",
                     base::shell_quote(store + "(/.*)?"), base::shell_quote(store));
}

Results denials_of(const Circumstances& at, const Machine& machine, const std::vector<Denial>& all) {
  Results results;
  for (const auto& denial : all) {
    if (!concerns(denial, machine)) continue;
    results.push_back({"denials", Status::warning,
                       fmt::format("{}: {} kept libvirt's QEMU from {}", machine.name,
                                   denial.by_selinux ? "SELinux" : "AppArmor", base::printable(denial.path)),
                       base::printable(remedy(at, machine, denial))});
  }
  return results;
}

}  // namespace

Results check_denials(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("denials")};
  const auto all = denials(at.host);
  auto problems = for_each_machine(at, "denials", [&](const Machine& machine) { return denials_of(at, machine, all); });
  return or_ok("denials", std::move(problems), "libvirt's QEMU was kept from no file of a machine");
}

}  // namespace hrvm::doctor
