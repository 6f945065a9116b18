// Unified kernel images (uapi-group.org, "Unified Kernel Image"): a PE file for x86-64 with a kernel, its initramfs and
// its command line as sections, which the firmware or systemd-boot starts as one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

struct UnifiedImage {
  struct Part {
    std::uint64_t offset = 0, size_bytes = 0;  // within the file
  };
  std::optional<Part> initramfs;
  std::string command_line;
  std::string os_release;  // the text of an os-release(5)
  std::string version;     // of the kernel; empty where it is not given
};

// nullopt for what is no such image, or is cut off. Of several profiles the one that starts by itself is taken. Its
// texts are read, and nothing else.
std::optional<UnifiedImage> read_unified_image(fs::FileSystem& files, const std::string& path);

}  // namespace hrvm::probe
