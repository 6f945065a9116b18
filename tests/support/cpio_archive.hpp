// A newc archive in memory: cpio_archive({{"etc/crypttab", "…"}}).
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace hrvm::test {

inline std::string cpio_archive(std::vector<std::pair<std::string, std::string>> files) {
  files.emplace_back("TRAILER!!!", "");
  std::string bytes;
  const auto pad = [&] { bytes.resize((bytes.size() + 3) / 4 * 4, '\0'); };
  for (const auto& [name, text] : files) {
    char header[111];
    std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0100644, 0, 0,
                  1, 0, unsigned(text.size()), 0, 0, 0, 0, unsigned(name.size() + 1), 0);
    bytes += header + name + '\0';
    pad();
    bytes += text;
    pad();
  }
  return bytes;
}

}  // namespace hrvm::test
