#include "hrvm/launch/forwards.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::PortForward;
using sys::PortUse;

constexpr unsigned most_looks = 100, first_of_users = 1024, last_port = 65535;

// The next one that nobody has, nor this machine for another of its forwards.
std::uint16_t another_port(const LaunchPlan& plan, std::uint16_t taken) {
  const auto is_ours = [&](std::uint16_t port) {
    return std::ranges::count(plan.network.forwards, port, &PortForward::host_port) > 0;
  };
  const auto first = std::max<unsigned>(taken + 1, first_of_users + taken % 1000);
  return free_port(std::uint16_t(std::min(first, last_port)), is_ours).value_or(taken);
}

// All of them, as those on the command line stand in place of what the machine has.
std::string other_way(const LaunchPlan& plan, const PortForward& refused) {
  auto forwards = plan.network.forwards;
  const auto place = std::ranges::find(forwards, refused);
  place->host_port = another_port(plan, refused.host_port);
  if (place->host_port == refused.host_port) return "boot it with --forward none, or another port of the host";
  std::vector<std::string> words;
  for (const auto& forward : forwards) words.push_back(word(forward));
  const auto all = base::join(words, ",");
  return fmt::format("boot it with --forward {0}, or for good: hrvm set {1} forward={0}", all, plan.name);
}

}  // namespace

std::optional<std::uint16_t> free_port(std::uint16_t first, const std::function<bool(std::uint16_t)>& is_taken) {
  for (unsigned port = first; port < first + most_looks && port <= last_port; ++port) {
    const auto candidate = std::uint16_t(port);
    if (!(is_taken && is_taken(candidate)) && sys::loopback_port_use(candidate) == PortUse::free) return candidate;
  }
  return std::nullopt;
}

void check_forwards(const LaunchPlan& plan) {
  for (const auto& forward : plan.network.forwards) {
    const auto use = sys::loopback_port_use(forward.host_port);
    if (use == PortUse::free) continue;
    const bool is_taken = use == PortUse::taken;
    throw Error(is_taken ? ErrorKind::busy : ErrorKind::permission,
                fmt::format("port {} of this host {}, which {} is to forward to its port {}", forward.host_port,
                            is_taken ? "is taken" : "is for root alone", plan.name, forward.guest_port))
        .hint(other_way(plan, forward));
  }
}

}  // namespace hrvm::launch
