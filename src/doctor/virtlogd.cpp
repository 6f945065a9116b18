// libvirt hands each machine's serial line to virtlogd; without it a machine does not start.
#include "doctor/checks.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {

bool has_libvirt(const sys::Host& host) { return host.find_program("libvirtd") || host.find_program("virtqemud"); }

CheckResult skipped_without_libvirt(std::string id) {
  return {std::move(id), Status::skipped, "libvirt is not installed", ""};
}

Results check_virtlogd(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("virtlogd")};
  const auto socket = at.host.path("/run/libvirt/virtlogd-sock");
  if (sys::status(socket).type != sys::FileType::missing) {
    return {{"virtlogd", Status::ok, "libvirt's log service listens", ""}};
  }
  return {{"virtlogd", Status::warning, "libvirt's log service does not listen: no machine starts in libvirt",
           "systemctl enable --now virtlogd.socket   (without systemd: virtlogd --daemon)"}};
}

}  // namespace hrvm::doctor
