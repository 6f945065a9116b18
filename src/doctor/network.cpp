// The network "default" of libvirt, which machines with --net nat or bridge=virbr0 use there.
#include "doctor/checks.hpp"
#include "hrvm/launch/virsh.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {
namespace {

using namespace std::chrono_literals;

constexpr auto system_uri = "qemu:///system";
constexpr auto shipped = "/usr/share/libvirt/networks/default.xml";

struct Network {
  bool defined = false, active = false, starts_by_itself = false;
};

bool exists(const sys::Host& host, std::string_view path) {
  return sys::link_status(host.path(path)).type != sys::FileType::missing;
}

Network default_network(const sys::Host& host) {
  return {.defined = exists(host, "/etc/libvirt/qemu/networks/default.xml"),
          .active = exists(host, "/run/libvirt/network/default.xml"),
          .starts_by_itself = exists(host, "/etc/libvirt/qemu/networks/autostart/default.xml")};
}

// What is to be ordered of virsh, first to last. To start it is last: that is what can fail.
std::vector<std::vector<std::string>> orders(const Network& network) {
  std::vector<std::vector<std::string>> all;
  if (!network.defined && !network.active) all.push_back({"net-define", shipped});
  if (!network.starts_by_itself) all.push_back({"net-autostart", "default"});
  if (!network.active) all.push_back({"net-start", "default"});
  return all;
}

std::string remedy(const sys::Host& host, const Network& network) {
  std::string text = !network.active && !host.find_program("dnsmasq") ? "apt install dnsmasq-base" : "";
  for (const auto& order : orders(network)) {
    text += std::string(text.empty() ? "" : " && ") + "virsh -c " + system_uri;
    for (const auto& word : order) text += " " + word;
  }
  return text;
}

std::string problem(const Network& network) {
  if (network.active) return "libvirt's default network is active, and will not be after the host's next start";
  if (!network.defined) return "libvirt has no default network";
  return "libvirt's default network is not active";
}

}  // namespace

Results check_network(const Circumstances& at) {
  if (!has_libvirt(at.host)) return {skipped_without_libvirt("network")};
  const auto network = default_network(at.host);
  if (orders(network).empty()) return {{"network", Status::ok, "libvirt's default network is active", ""}};
  return {{"network", Status::warning, problem(network), remedy(at.host, network)}};
}

void fix_network(const Circumstances& at) {
  for (const auto& order : orders(default_network(at.host))) launch::order_virsh(at.host, system_uri, order, 60s);
}

}  // namespace hrvm::doctor
