// What udev knows of a block device: its properties and the names it made for it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hrvm/sys/host.hpp"

namespace hrvm::probe {

struct UdevRecord {
  std::map<std::string, std::string> properties;  // "ID_SERIAL_SHORT"
  std::vector<std::string> links;                 // "/dev/disk/by-id/…"

  std::string property(const std::string& name) const;
};

// From /run/udev/data, and through libudev where it is there and the host is the real one. Empty where no udevd runs.
UdevRecord udev_record(const sys::Host& host, const std::string& numbers);

}  // namespace hrvm::probe
