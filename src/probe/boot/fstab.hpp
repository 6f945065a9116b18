// fstab(5): what a system mounts where.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::probe {

struct FstabLine {
  std::string device;  // "UUID=…", "/dev/sda2", without quotes and escapes
  std::string point;   // "/usr", without a slash at its end
  std::string type, options;

  bool has_option(std::string_view option) const;
  // What stands behind "NAME=" among the options.
  std::optional<std::string> option(std::string_view name) const;
  // Of btrfs: "@usr" of subvol=/@usr; empty where none is named.
  std::string subvolume() const;
};

// At most 1024 lines; those that mount nothing (swap, none) are left out.
std::vector<FstabLine> parse_fstab(std::string_view text);

}  // namespace hrvm::probe
