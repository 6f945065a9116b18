// fstab(5) and crypttab(5) as mount(8), systemd and Debian's cryptsetup take them apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

using Fields = std::vector<std::string>;

// Lines of fields parted by blanks, without comments; "\040" within a field is a blank. At most 1024 lines of a text.
std::vector<Fields> parse_table(std::string_view text);
// Empty where there is no such file, or one of more than 256 KiB.
std::vector<Fields> read_table(fs::FileSystem& root, const std::string& path);

// Whether one of the options in a column is this one, or begins with it where it ends in "=".
bool has_option(const Fields& fields, std::size_t column, std::string_view option);

// A line of fstab that the start waits for.
struct Mount {
  std::string what, where, type;
};
std::vector<Mount> awaited_mounts(fs::FileSystem& root);

// A line of crypttab.
struct EncryptedDevice {
  std::string name, device, key;  // `key` is empty for none
  bool is_awaited = true;
  Fields options;
};
std::vector<EncryptedDevice> encrypted_devices(const std::vector<Fields>& table);

}  // namespace hrvm::probe
