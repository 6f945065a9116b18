// libvirt's daemon: libvirtd, or virtqemud where libvirt is made of several.
#include "doctor/checks.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::doctor {

bool has_libvirt(const sys::Host& host) { return host.find_program("libvirtd") || host.find_program("virtqemud"); }

CheckResult skipped_without_libvirt(std::string id) {
  return {std::move(id), Status::skipped, "libvirt is not installed", ""};
}

// A socket outlives who listened on it. In a recorded host it may be a plain file, which counts.
bool listens(const sys::Host& host, std::string_view path) {
  const auto file = host.path(path);
  const auto type = sys::status(file).type;
  if (type == sys::FileType::missing) return false;
  if (type != sys::FileType::other) return true;
  return sys::UnixSocket::connect(file, std::chrono::seconds{1}).has_value();
}

Results check_libvirtd(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("libvirtd")};
  if (listens(at.host, "/run/libvirt/libvirt-sock") || listens(at.host, "/run/libvirt/virtqemud-sock"))
    return {{"libvirtd", Status::ok, "libvirt listens", ""}};
  const bool modular = !at.host.find_program("libvirtd");
  return {{"libvirtd", Status::warning, "libvirt is installed and does not listen: hrvm boot --libvirt will not work",
           modular ? "systemctl enable --now virtqemud.socket   (without systemd: virtqemud --daemon)"
                   : "systemctl enable --now libvirtd.socket   (without systemd: libvirtd --daemon)"}};
}

}  // namespace hrvm::doctor
