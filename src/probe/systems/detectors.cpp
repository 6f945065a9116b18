#include "hrvm/probe/detector.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {

std::span<const Detector> detectors() {
  static constexpr Detector table[] = {
      {"proxmox", detect_proxmox},  // before Debian, whose os-release it carries
      {"os-release", detect_os_release},
      {"nixos", detect_nixos},                  // where os-release is made at each start
      {"release-files", detect_release_files},  // from before os-release
      {"windows", detect_windows},
      {"esxi", detect_esxi},
  };
  return table;
}

}  // namespace hrvm::probe
