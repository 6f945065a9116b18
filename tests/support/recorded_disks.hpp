// What lies on the disks of recorded machines: real partition tables and filesystems, made on the spot.
#pragma once

#include <filesystem>
#include <string>

namespace hrvm::test {

// Fills a sparse file of `size_bytes`. Recipes: proxmox, debian-uefi, debian-dos, zfs, stick, blank. Throws for others.
void make_recorded_disk(const std::filesystem::path& file, std::uint64_t size_bytes, const std::string& recipe);

// Parts that tests use for disks of their own. Offsets and sizes are bytes.
//
// An ext4 of `blocks` 4 KiB blocks with the files of `tree`.
void make_ext4(const std::filesystem::path& file, std::uint64_t offset, std::uint64_t blocks, const std::string& label,
               const std::string& uuid, const std::filesystem::path& tree);
// A FAT filesystem with the files of `tree`; `serial` is 8 hex digits.
void make_fat(const std::filesystem::path& file, std::uint64_t offset, std::uint64_t size_bytes,
              const std::string& label, const std::string& serial, const std::filesystem::path& tree);
// A PE file as a UEFI loader is one: 0x8664 is x86-64.
std::string pe_file(std::uint16_t machine_type = 0x8664);
// The boot code that GRUB puts into sector 0: its first 440 bytes are not zero, and its name is in it.
std::string grub_boot_code();

}  // namespace hrvm::test
