// UEFI firmware of this host: QEMU's firmware descriptors (docs/interop/firmware.json) in the order and with the
// masking that its specification wants ($XDG_CONFIG_HOME/qemu/firmware, /etc/qemu/firmware, /usr/share/qemu/firmware),
// then paths that distributions are known to use. Raw images are taken. What has the feature secure-boot is kept for
// machines that ask for it, with the feature enrolled-keys or without; it runs in System Management Mode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/machine/definition.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

struct UefiFirmware {
  std::string code_path;             // read-only flash
  std::string template_path;         // variables of a new machine
  std::uint64_t template_bytes = 0;  // as every machine's variables that were made from it
  std::string source;                // the descriptor, or "known path"
  machine::SecureBoot secure_boot = machine::SecureBoot::off;
  friend bool operator==(const UefiFirmware&, const UefiFirmware&) = default;
};

// All that could serve on x86_64, best first. Paths as the host calls them; both files exist.
std::vector<UefiFirmware> uefi_firmwares(const sys::Host& host);
// The best of its kind, or the best whose variables have `nvram_bytes` (a 2 MiB CODE never meets 4 MiB VARS). Pure.
std::optional<UefiFirmware> choose_uefi_firmware(const std::vector<UefiFirmware>& firmwares,
                                                 machine::SecureBoot secure_boot = machine::SecureBoot::off,
                                                 std::optional<std::uint64_t> nvram_bytes = {});

}  // namespace hrvm::launch
