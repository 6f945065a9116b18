#include "hrvm/launch/qemu.hpp"

namespace hrvm::launch {

std::optional<std::string> find_qemu(const sys::Host& host) {
  for (const auto* name : {"qemu-system-x86_64", "qemu-kvm"}) {
    if (auto found = host.find_program(name)) return found;
  }
  return host.first_existing({"/usr/libexec/qemu-kvm"});
}

}  // namespace hrvm::launch
