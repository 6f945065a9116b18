#include "hrvm/launch/bridge.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view access_list = "/etc/qemu/bridge.conf";
constexpr unsigned deepest_include = 8, setuid_bit = 04000;

std::optional<std::string> find_helper(const sys::Host& host) {
  return host.first_existing({"/usr/lib/qemu/qemu-bridge-helper",      // Debian, Ubuntu, Arch, Alpine
                              "/usr/libexec/qemu-bridge-helper",       // Fedora, RHEL, Gentoo, openSUSE
                              "/run/wrappers/bin/qemu-bridge-helper",  // NixOS
                              "/usr/libexec/qemu/qemu-bridge-helper",  // openSUSE until 15
                              "/usr/local/libexec/qemu-bridge-helper"});
}

void check_bridge(const sys::Host& host, const std::string& bridge) {
  const auto interfaces = host.path("/sys/class/net");
  if (sys::status(interfaces / bridge / "bridge").type == sys::FileType::directory) return;
  std::vector<std::string> bridges;
  for (const auto& name : sys::list_directory(interfaces)) {
    if (sys::status(interfaces / name / "bridge").type == sys::FileType::directory) bridges.push_back(name);
  }
  const auto name = base::printable(bridge);
  const auto remedy = bridges.empty() ? fmt::format("make one, or use --net nat: ip link add {} type bridge", name)
                                      : "bridges of this host: " + base::join(bridges, ", ");
  if (sys::status(interfaces / bridge).type == sys::FileType::missing)
    throw Error(ErrorKind::not_found, fmt::format("this host has no bridge {}", name)).hint(remedy);
  throw Error(ErrorKind::unsupported, fmt::format("the interface {} is no bridge", name)).hint(remedy);
}

struct Access {
  bool allowed = false, denied = false;
  bool readable = true;  // all of it
};

// A line's first word, and the rest of it.
std::pair<std::string_view, std::string_view> split_line(std::string_view line) {
  line = base::trim(line);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  return {line.substr(0, end), base::trim(line.substr(end))};
}

void read_access(const sys::Host& host, std::string_view file, std::string_view bridge, unsigned depth,
                 Access& access) {
  const auto text = depth < deepest_include ? sys::try_read_file(host.path(file)) : std::nullopt;
  if (!text) {
    access.readable = false;
    return;
  }
  for (const auto line : base::lines(*text)) {
    const auto [order, what] = split_line(line);
    const bool named = what == bridge || what == "all";
    if (order == "allow") access.allowed |= named;
    if (order == "deny") access.denied |= named;
    if (order == "include") read_access(host, what, bridge, depth + 1, access);
  }
}

void check_access(const sys::Host& host, const std::string& bridge) {
  Access access;
  const bool is_there = sys::status(host.path(access_list)).type == sys::FileType::regular;
  if (is_there) read_access(host, access_list, bridge, 0, access);
  if (access.allowed && !access.denied) return;
  if (!access.denied && is_there && !access.readable) return;
  throw Error(ErrorKind::refused, fmt::format("qemu-bridge-helper may not join a guest to {}", bridge))
      .on(std::string(access_list))
      .hint(access.denied ? fmt::format("{} denies it: take that line out", access_list)
                          : fmt::format("as root: mkdir -p /etc/qemu && echo 'allow {}' >> {}", bridge, access_list));
}

void check_mode(const sys::Host& host, const std::string& helper) {
  if (host.is_root() || (sys::status(host.path(helper)).mode & setuid_bit) != 0) return;
  throw Error(ErrorKind::refused, "qemu-bridge-helper cannot join a bridge for a user who is not root")
      .on(helper)
      .hint(fmt::format("as root: chmod u+s {}; or use --net nat", helper));
}

}  // namespace

std::string usable_bridge_helper(const sys::Host& host, const std::string& bridge) {
  check_bridge(host, bridge);
  const auto helper = find_helper(host);
  if (!helper) {
    throw Error(ErrorKind::not_found, "qemu-bridge-helper is not installed, which joins a guest to a bridge")
        .hint("apt install qemu-system-common, or use --net nat");
  }
  check_mode(host, *helper);
  check_access(host, bridge);
  return *helper;
}

}  // namespace hrvm::launch
