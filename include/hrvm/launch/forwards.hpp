// Ports of the host that lead into a guest, as the host has them now.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// QEMU is not to be started only to say that it cannot listen. Error{busy} for a port that somebody listens at, with
// one that is free; Error{permission} for one that only root may listen at.
void check_forwards(const LaunchPlan& plan);

// The first port of the loopback address from this one on that nobody listens at, of a hundred. `is_taken` says which
// are not to be had all the same.
std::optional<std::uint16_t> free_port(std::uint16_t first, const std::function<bool(std::uint16_t)>& is_taken = {});

}  // namespace hrvm::launch
