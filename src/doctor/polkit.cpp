// libvirt asks polkit whether users other than root may manage machines ("authentication unavailable: no polkit
// agent").
#include <fmt/core.h>

#include <algorithm>

#include "doctor/checks.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {
namespace {

// Cockpit speaks to libvirt by a service that is this user.
constexpr std::string_view bridge_user = "libvirtdbus";

constexpr std::string_view bridge_remedy =
    "printf '%s\\n' 'polkit.addRule(function(action, subject) { if (action.id.indexOf(\"org.libvirt.\") == 0 && "
    "subject.user == \"libvirtdbus\") return polkit.Result.YES; });' > /etc/polkit-1/rules.d/60-libvirt-dbus.rules";

// The line of passwd or group that begins with this name.
std::optional<std::string> entry(const sys::Host& host, std::string_view file, std::string_view name) {
  const auto text = sys::try_read_file(host.path(file)).value_or("");
  for (const auto line : base::lines(text))
    if (base::split(line, ':')[0] == name) return std::string(line);
  return std::nullopt;
}

bool a_rule_names(const sys::Host& host, std::string_view user) {
  for (const auto folder : {"/etc/polkit-1/rules.d", "/run/polkit-1/rules.d", "/usr/local/share/polkit-1/rules.d",
                            "/usr/share/polkit-1/rules.d"})
    for (const auto& name : sys::list_directory(host.path(folder)))
      if (sys::try_read_file(host.path(folder) / name).value_or("").find(user) != std::string::npos) return true;
  return false;
}

// Debian and its kin let the group libvirt in. Where there is none, other rules are a person's own.
bool is_left_out(const sys::Host& host, const std::string& user) {
  const auto group = entry(host, "/etc/group", "libvirt");
  if (!group || user.empty()) return false;
  const auto fields = base::split(*group, ':');
  const auto members = base::split(fields.back(), ',');
  return std::ranges::find(members, user) == members.end();
}

}  // namespace

Results check_polkit(const Circumstances& at) {
  const auto& host = at.host;
  if (!has_libvirt(host)) return {skipped_without_libvirt("polkit")};
  if (entry(host, "/etc/passwd", bridge_user) && !a_rule_names(host, bridge_user))
    return {{"polkit", Status::warning,
             "no rule of polkit lets libvirt-dbus in: Cockpit says \"authentication unavailable: no polkit agent\"",
             std::string(bridge_remedy)}};
  if (host.is_root()) return {{"polkit", Status::ok, "root needs no polkit to use libvirt", ""}};
  const bool policy = host.first_existing({"/usr/share/polkit-1/actions/org.libvirt.unix.policy"}).has_value();
  const bool daemon = host.first_existing({"/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"}).has_value();
  if (!policy || !daemon)
    return {{"polkit", Status::warning, "polkit is not installed: only root may use libvirt", "apt install polkitd"}};
  const auto user = host.variable("USER").value_or("");
  if (is_left_out(host, user))
    return {
        {"polkit", Status::warning,
         fmt::format("{} is not in the group libvirt: where no agent asks for a password (over ssh), qemu:///system "
                     "says \"authentication unavailable: no polkit agent\"",
                     user),
         fmt::format("adduser {} libvirt   (as root; then log in again)", base::shell_quote(user))}};
  return {{"polkit", Status::ok, "polkit decides who may use libvirt", ""}};
}

}  // namespace hrvm::doctor
