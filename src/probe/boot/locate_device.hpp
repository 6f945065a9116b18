// Where on a disk the device lies that a command line, fstab or crypttab names.
#pragma once

#include <string>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/device_name.hpp"

namespace hrvm::probe {

// The place's name: "p3", "pve/root"; empty where it is none of this disk's, or cannot be known. A container that was
// opened under the name "luks-UUID" is named as the container.
std::string locate_device(const DeviceName& device, const Contents& contents);

// Whether `place` is such a device. Several can be: a snapshot bears the UUID of its origin.
bool is_device(const std::string& place, const DeviceName& device, const Contents& contents);

// The partition that is the root by its type, where no command line names one (Discoverable Partitions Specification);
// empty where there is none.
std::string root_by_type(const Contents& contents);

}  // namespace hrvm::probe
