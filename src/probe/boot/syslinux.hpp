// extlinux.conf, syslinux.cfg and isolinux.cfg: what SYSLINUX's family (and U-Boot's menu) offers.
#pragma once

#include <string_view>
#include <vector>

#include "probe/boot/boot_entry.hpp"

namespace hrvm::probe {

// `folder` is where the file lies: paths that are not absolute start there.
std::vector<BootEntry> parse_syslinux(std::string_view text, std::string_view folder);

}  // namespace hrvm::probe
