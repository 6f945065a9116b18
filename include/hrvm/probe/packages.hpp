// Packages: what the package managers of a system say is installed in it, what differs between two states of that, and
// which package a file came from.
//
// The managers' own databases are read, through a FileSystem whose root is the system's, with what it mounts in it
// where that lies elsewhere (/usr, /var). None of their programs runs, and no library of theirs is linked. What a
// database holds is hostile, and so is what comes back from a confined child: either is bounded, none is trusted.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/base/words.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

using base::word;

enum class PackageManager { dpkg, rpm, pacman, apk };
constexpr std::array<std::string_view, 4> words_of(PackageManager) { return {"dpkg", "rpm", "pacman", "apk"}; }

struct Package {
  std::string name;
  std::string version;       // as the manager writes it: "1:2.36-9+deb12u4"; of rpm "EPOCH:VERSION-RELEASE"
  std::string architecture;  // in the manager's words: "amd64", "all", "noarch"; empty where it says none

  friend auto operator<=>(const Package&, const Package&) = default;
};

// What one manager has installed: all of it, or none and why it is not known.
struct PackageDatabase {
  PackageManager manager = PackageManager::dpkg;
  std::vector<Package> packages;  // by name, version and architecture, each once
  std::string unreadable;         // "/var/lib/rpm/Packages: it is a Berkeley DB, which hrvm does not read"; else empty

  friend bool operator==(const PackageDatabase&, const PackageDatabase&) = default;
};

// One for each manager that has a database in this root, in the order of the enumeration; none for a system that has
// none. What cannot be read is said in `unreadable`, and throws nothing.
std::vector<PackageDatabase> read_packages(fs::FileSystem& root);

// For each of these paths, which are absolute in `root`, the name of the package that brought it; empty where none says
// so. Of several that share a folder it is one. A path is right as a walk gives it, so below /usr where /lib is a link.
// Memory goes with the paths that are asked for, not with the files of the system. A database that cannot be read owns
// nothing: read_packages() says why.
std::vector<std::string> package_owners(fs::FileSystem& root, const std::vector<std::string>& paths);

enum class PackageChangeKind { added, removed, upgraded, downgraded };
constexpr std::array<std::string_view, 4> words_of(PackageChangeKind) {
  return {"added", "removed", "upgraded", "downgraded"};
}

struct PackageChange {
  PackageManager manager = PackageManager::dpkg;
  std::string name;
  std::string architecture;  // that it has in the later state; of a removed one, that it had
  PackageChangeKind kind = PackageChangeKind::added;
  std::string from, to;  // versions; empty where it was not, or is no more

  friend bool operator==(const PackageChange&, const PackageChange&) = default;
};

// By manager, then by name. A package of which each state has one version goes up or down by its manager's own rule;
// up, where that finds no difference in versions that are written differently. Of what is installed in several versions
// at once, as kernels are, each is added or removed by itself. A manager whose database cannot be read in either state
// has no rows.
std::vector<PackageChange> compare_packages(const std::vector<PackageDatabase>& from,
                                            const std::vector<PackageDatabase>& to);

// Which of two versions is the newer one, by the manager's own rule.
std::weak_ordering compare_versions(PackageManager manager, std::string_view a, std::string_view b);

// There and back through the pipe of a confined child; owners go as a list of texts. Error{corrupt} for what is no such
// value.
base::Json to_json(const std::vector<PackageDatabase>& databases);
std::vector<PackageDatabase> packages_from_json(const base::Json& json);
base::Json to_json(const std::vector<PackageChange>& changes);
std::vector<PackageChange> package_changes_from_json(const base::Json& json);
// Of as many paths as were asked for.
std::vector<std::string> package_owners_from_json(const base::Json& json, std::size_t paths);

}  // namespace hrvm::probe
