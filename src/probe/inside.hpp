// What looking into one partition, volume or whole disk brings to light.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

struct Inside {
  std::string name;  // "p3", "disk", "pve/root"
  std::optional<Signature> signature;
  std::optional<System> system;
  bool is_boot = false;
  std::vector<std::string> boot_kernels;  // of a boot partition
  std::vector<EfiLoader> loaders;         // of an ESP
};

// What is broken in it is told in `findings`, and costs nothing else.
Inside look_into(const std::string& name, block::BlockDevice& device, bool is_esp,
                 std::vector<base::Finding>& findings);

}  // namespace hrvm::probe
