// The names that Linux gives to disks, and the buses on which a machine's disk gets one of them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "hrvm/probe/drivers.hpp"

namespace hrvm::probe {

struct DiskName {
  std::string_view prefix;     // "sd"
  std::span<const Bus> buses;  // empty where none gives it
  std::string_view first;      // how a machine's first disk is called there: "sda"
};
// Of "sda3", "nvme0n1p2"; nullptr for what is no disk's name.
const DiskName* find_disk_name(std::string_view name);

// Whether it is the first disk, or a partition of it.
bool is_of_first_disk(std::string_view name, const DiskName& kind);

}  // namespace hrvm::probe
