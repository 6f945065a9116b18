// libvirt asks polkit whether users other than root may manage machines ("authentication unavailable: no polkit
// agent").
#include "doctor/checks.hpp"

namespace hrvm::doctor {

Results check_polkit(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("polkit")};
  const bool policy = at.host.first_existing({"/usr/share/polkit-1/actions/org.libvirt.unix.policy"}).has_value();
  const bool daemon = at.host.first_existing({"/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"}).has_value();
  if (policy && daemon) return {{"polkit", Status::ok, "polkit decides who may use libvirt", ""}};
  if (at.host.is_root()) return {{"polkit", Status::ok, "root needs no polkit to use libvirt", ""}};
  return {{"polkit", Status::warning, "polkit is not installed: only root may use libvirt", "apt install polkitd"}};
}

}  // namespace hrvm::doctor
