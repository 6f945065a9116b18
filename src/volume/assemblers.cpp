#include "hrvm/volume/volumes.hpp"

namespace hrvm::volume {

std::span<const Assembler> assemblers() {
  static constexpr Assembler table[] = {
      {"linux_raid_member", assemble_md},
      {"LVM2_member", assemble_lvm},
      {"zfs_member", assemble_zfs},
  };
  return table;
}

}  // namespace hrvm::volume
