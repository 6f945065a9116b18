// Partition types by name: what a type GUID or a DOS type byte means, and the role it gives by itself.
#pragma once

#include <string_view>

namespace hrvm::probe {

struct PartitionType {
  std::string_view type;  // GUID in lower case, or "0x83"
  std::string_view name;
  std::string_view role;  // empty where only the contents show it
};

inline constexpr std::string_view gpt_esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
inline constexpr std::string_view gpt_bios_boot = "21686148-6449-6e6f-744e-656564454649";
inline constexpr std::string_view gpt_extended_boot = "bc13c2ff-59e6-4262-a352-b275fd6f7172";  // XBOOTLDR
inline constexpr std::string_view gpt_root_x86_64 = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
inline constexpr std::string_view gpt_freebsd_boot = "83bd6b9d-7f41-11dc-be0b-001560b84f0f";
inline constexpr std::string_view gpt_chromeos_kernel = "fe3a2a5d-4f32-41a7-b725-accc3285a309";
inline constexpr std::string_view gpt_container_linux_usr = "5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6";

// nullptr for a type that is not in the table.
const PartitionType* find_partition_type(std::string_view type);
const PartitionType* find_discoverable_type(std::string_view type);

}  // namespace hrvm::probe
