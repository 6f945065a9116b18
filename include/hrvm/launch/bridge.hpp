// qemu-bridge-helper: the program that joins a guest's network card to a bridge of this host. It runs as root, by its
// setuid bit where we are not, and joins only what its access list names (/etc/qemu/bridge.conf: `allow BRIDGE|all`,
// `deny BRIDGE|all`, `include FILE`; a refusal wins over a permission).
#pragma once

#include <string>

#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// Where the helper is, after all was looked at that would make it fail. Error{not_found} for a bridge or helper that is
// not there, Error{unsupported} for an interface that is no bridge, Error{refused} for what the access list or the
// helper's mode does not allow; each with the command that mends it. What this user may not read is not judged.
std::string usable_bridge_helper(const sys::Host& host, const std::string& bridge);

}  // namespace hrvm::launch
