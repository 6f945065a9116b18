// Unified kernel images (uapi-group.org, "Unified Kernel Image"): a PE file for x86-64 with a kernel, its initramfs and
// its command line as sections, which the firmware or systemd-boot starts as one; and what adds to one from beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  std::string profile;     // what the profile says of itself, as an os-release(5) does; empty where it is none
};

// What an image holds for each of its profiles, of which the first starts by itself. A profile's sections stand for
// those of the same name before the first profile. Empty for what is no such image, or is cut off. Texts are read, and
// nothing else.
std::vector<UnifiedImage> read_unified_images(fs::FileSystem& files, const std::string& path);

// One of them; a number that there is not, is the first.
std::optional<UnifiedImage> read_unified_image(fs::FileSystem& files, const std::string& path, unsigned profile = 0);

// A PE file that adds to images: a command line, an initramfs. nullopt for what is none, or is an image itself.
std::optional<UnifiedImage> read_addon(fs::FileSystem& files, const std::string& path);

// Those that systemd-stub adds to an image, in its order: of all images, then of this one.
std::vector<std::string> find_addons(fs::FileSystem& files, const std::string& image);

// Whether the program there is systemd-boot, under whatever name.
bool is_systemd_boot(fs::FileSystem& files, const std::string& path);

}  // namespace hrvm::probe
