// The network "default" of libvirt, which machines with --net nat use there.
#include "doctor/checks.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {

static bool exists(const sys::Host& host, std::string_view path) {
  return sys::status(host.path(path)).type != sys::FileType::missing;
}

Results check_network(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("network")};
  if (exists(at.host, "/run/libvirt/network/default.xml")) {
    return {{"network", Status::ok, "libvirt's default network is active", ""}};
  }
  const std::string start =
      "virsh -c qemu:///system net-start default && virsh -c qemu:///system net-autostart default";
  if (exists(at.host, "/etc/libvirt/qemu/networks/default.xml")) {
    return {{"network", Status::warning, "libvirt's default network is not active", start}};
  }
  return {{"network", Status::warning, "libvirt has no default network",
           "virsh -c qemu:///system net-define /usr/share/libvirt/networks/default.xml && " + start}};
}

}  // namespace hrvm::doctor
