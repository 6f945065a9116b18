#include <algorithm>
#include <iterator>
#include <map>

#include "hrvm/probe/packages.hpp"

namespace hrvm::probe {
namespace {

// What one name stands for in both states.
struct Versions {
  std::vector<const Package*> from, to;
};

using Changes = std::vector<PackageChange>;

void add_pair(PackageManager manager, const Package& from, const Package& to, Changes& changes) {
  if (from.version == to.version) return;
  const bool is_older = compare_versions(manager, to.version, from.version) < 0;
  changes.push_back({manager, to.name, to.architecture,
                     is_older ? PackageChangeKind::downgraded : PackageChangeKind::upgraded, from.version, to.version});
}

bool is_before(const Package* a, const Package* b) { return *a < *b; }

// Those of `some` that are not among the others. Both are sorted.
std::vector<const Package*> without(const std::vector<const Package*>& some,
                                    const std::vector<const Package*>& others) {
  std::vector<const Package*> rest;
  std::ranges::set_difference(some, others, std::back_inserter(rest), is_before);
  return rest;
}

void add_each(PackageManager manager, Versions versions, Changes& changes) {
  std::ranges::sort(versions.from, is_before);
  std::ranges::sort(versions.to, is_before);
  for (const Package* each : without(versions.from, versions.to))
    changes.push_back({manager, each->name, each->architecture, PackageChangeKind::removed, each->version, ""});
  for (const Package* each : without(versions.to, versions.from))
    changes.push_back({manager, each->name, each->architecture, PackageChangeKind::added, "", each->version});
}

void add_changes(PackageManager manager, const Versions& versions, Changes& changes) {
  if (versions.from.size() == 1 && versions.to.size() == 1)
    add_pair(manager, *versions.from[0], *versions.to[0], changes);
  else
    add_each(manager, versions, changes);
}

// One whose architecture changed ("all" became "amd64") is the same package; several architectures at once are one
// each.
void add_changes_of_name(PackageManager manager, const Versions& versions, Changes& changes) {
  if (versions.from.size() <= 1 && versions.to.size() <= 1) return add_changes(manager, versions, changes);
  std::map<std::string_view, Versions> architectures;
  for (const Package* each : versions.from) architectures[each->architecture].from.push_back(each);
  for (const Package* each : versions.to) architectures[each->architecture].to.push_back(each);
  for (const auto& [architecture, same] : architectures) add_changes(manager, same, changes);
}

const PackageDatabase* of_manager(const std::vector<PackageDatabase>& databases, PackageManager manager) {
  const auto found = std::ranges::find(databases, manager, &PackageDatabase::manager);
  return found == databases.end() ? nullptr : &*found;
}

bool is_unreadable(const PackageDatabase* database) { return database && !database->unreadable.empty(); }

}  // namespace

std::vector<PackageChange> compare_packages(const std::vector<PackageDatabase>& from,
                                            const std::vector<PackageDatabase>& to) {
  Changes changes;
  for (std::size_t i = 0; i < words_of(PackageManager{}).size(); ++i) {
    const auto manager = PackageManager(i);
    const PackageDatabase *before = of_manager(from, manager), *after = of_manager(to, manager);
    if (is_unreadable(before) || is_unreadable(after)) continue;
    std::map<std::string_view, Versions> names;
    if (before)
      for (const Package& package : before->packages) names[package.name].from.push_back(&package);
    if (after)
      for (const Package& package : after->packages) names[package.name].to.push_back(&package);
    for (const auto& [name, versions] : names) add_changes_of_name(manager, versions, changes);
  }
  return changes;
}

}  // namespace hrvm::probe
