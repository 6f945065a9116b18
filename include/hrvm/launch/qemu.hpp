// The QEMU of this host.
#pragma once

#include <optional>
#include <string>

#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// qemu-system-x86_64, or the name and place that Red Hat gives it.
std::optional<std::string> find_qemu(const sys::Host& host);

}  // namespace hrvm::launch
