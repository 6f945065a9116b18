// What every Linux root holds besides its name: host name and kernels.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// os-release(5) of a root: from /etc, else from /usr/lib. nullopt where there is none that can be read.
using OsRelease = std::map<std::string, std::string>;
std::optional<OsRelease> read_os_release(fs::FileSystem& root);
OsRelease parse_os_release(std::string_view text);

struct InstalledPackage {
  std::string_view name;
  std::string version;
};
// The first of these that dpkg has installed in this root. Its list is read once.
std::optional<InstalledPackage> first_installed(fs::FileSystem& root, std::span<const std::string_view> packages);

// Versions of the kernels in a folder ("/boot", or "/" of a boot partition), newest first.
std::vector<std::string> kernels_in(fs::FileSystem& files, std::string_view folder);

// Where the modules of a root lie: "/lib/modules", or below /usr where the link to it is only made at the first start.
std::string modules_folder(fs::FileSystem& root);

std::optional<std::string> hostname_of(fs::FileSystem& root);

// Fills in family, hostname and kernels.
void add_linux_facts(fs::FileSystem& root, System& system);

}  // namespace hrvm::probe
