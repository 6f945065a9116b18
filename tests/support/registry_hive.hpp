// Hives of the Windows registry, filled by hivexregedit (libhivex).
#pragma once

#include <filesystem>
#include <string>

namespace hrvm::test {

// A new hive with what a .reg file would put into it, without that file's first line. Keys are from the hive's root:
// "[\\Select]".
void make_hive(const std::filesystem::path& file, const std::string& reg);
std::string hive_bytes(const std::string& reg);

}  // namespace hrvm::test
