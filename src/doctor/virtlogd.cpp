// libvirt hands each machine's serial line to virtlogd; without it a machine does not start ("Failed to connect socket
// to '/run/libvirt/virtlogd-sock'").
#include "doctor/checks.hpp"

namespace hrvm::doctor {

Results check_virtlogd(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("virtlogd")};
  if (listens(at.host, "/run/libvirt/virtlogd-sock"))
    return {{"virtlogd", Status::ok, "libvirt's log service listens", ""}};
  return {{"virtlogd", Status::warning, "libvirt's log service does not listen: no machine starts in libvirt",
           "systemctl enable --now virtlogd.socket   (without systemd: virtlogd --daemon)"}};
}

}  // namespace hrvm::doctor
