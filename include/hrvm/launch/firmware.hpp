// UEFI firmware of this host: QEMU's firmware descriptors (docs/interop/firmware.json) in the order and with the masking
// that its specification wants ($XDG_CONFIG_HOME/qemu/firmware, /etc/qemu/firmware, /usr/share/qemu/firmware), then paths that
// distributions are known to use. One without secure-boot, enrolled-keys and requires-smm is chosen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

struct UefiFirmware {
  std::string code_path;      // read-only flash
  std::string template_path;  // variables of a new machine; the same size as every machine's NVRAM made from it
  std::string format = "raw";
  std::string source;         // the descriptor, or "known path"
};

// All that could serve on x86_64, best first. Paths as the host calls them; both files exist.
std::vector<UefiFirmware> uefi_firmwares(const sys::Host& host);
// The best, or the one whose variables have `nvram_bytes` (a 2 MiB CODE never meets 4 MiB VARS).
std::optional<UefiFirmware> choose_uefi_firmware(const sys::Host& host, std::optional<std::uint64_t> nvram_bytes = {});

}  // namespace hrvm::launch
