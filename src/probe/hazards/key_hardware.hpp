// What is told of a key that a machine cannot get at: of crypttab, of the kernel's command line and of LUKS headers.
#pragma once

#include <string>
#include <string_view>

namespace hrvm::probe {

inline constexpr const char *key_in_hardware = "key-in-hardware", *key_on_network = "key-on-network";

inline std::string key_in_hardware_message(std::string_view what) {
  return "its key is kept by hardware that a machine does not have: " + std::string(what);
}

inline constexpr const char* key_remedy = "have a passphrase or the recovery key at hand: the machine will ask for it";

}  // namespace hrvm::probe
