// What hrvm::probe says of packages, for test_packages.sh to compare with their managers' own words. ROOT is a folder,
// or TYPE:IMAGE for a filesystem.
//   list_packages ROOT                "MANAGER NAME VERSION ARCHITECTURE" each
//   list_packages ROOT owners         reads paths, one a line: "PATH NAME" of those that a package has
//   list_packages ROOT changes ROOT   "CHANGE NAME ARCHITECTURE FROM TO" each; what is not there is "-"
//   list_packages compare MANAGER     reads "A B", one a line: "<", "=" or ">"
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/devices.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/probe/packages.hpp"

using namespace hrvm;

namespace {

struct Root {
  std::unique_ptr<block::BlockDevice> image;
  std::unique_ptr<fs::FileSystem> files;

  explicit Root(const std::string& what) {
    const auto colon = what.find(':');
    if (colon == std::string::npos) {
      files = fs::open_folder({what});
      return;
    }
    image = block::open_device(what.substr(colon + 1));
    files = fs::open_file_system(what.substr(0, colon), *image);
    if (!files) throw base::Error(base::ErrorKind::unsupported, "there is no reader for it").on(what);
  }
  std::vector<probe::PackageDatabase> packages() const { return probe::read_packages(*files); }
};

std::string_view or_dash(const std::string& text) { return text.empty() ? "-" : std::string_view(text); }

void list(const Root& root) {
  for (const auto& database : root.packages()) {
    const auto manager = base::word(database.manager);
    if (!database.unreadable.empty()) fmt::print("{} unreadable: {}\n", manager, database.unreadable);
    for (const auto& package : database.packages)
      fmt::print("{} {} {} {}\n", manager, package.name, package.version, or_dash(package.architecture));
  }
}

void print_owners(const Root& root) {
  std::vector<std::string> paths;
  for (std::string path; std::getline(std::cin, path);) paths.push_back(path);
  const auto owners = probe::package_owners(*root.files, paths);
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (!owners[i].empty()) fmt::print("{} {}\n", paths[i], owners[i]);
}

void print_changes(const Root& from, const Root& to) {
  for (const auto& change : probe::compare_packages(from.packages(), to.packages()))
    fmt::print("{} {} {} {} {}\n", base::word(change.kind), change.name, or_dash(change.architecture),
               or_dash(change.from), or_dash(change.to));
}

void compare(std::string_view manager) {
  const auto rule = base::from_word<probe::PackageManager>(manager).value();
  for (std::string a, b; std::cin >> a >> b;) {
    const auto order = probe::compare_versions(rule, a, b);
    fmt::print("{}\n", order < 0 ? '<' : order > 0 ? '>' : '=');
  }
}

}  // namespace

int main(int count, char** words) try {
  const std::vector<std::string> given(words + 1, words + count);
  if (given.size() == 1) {
    list(Root(given[0]));
  } else if (given.size() == 2 && given[1] == "owners") {
    print_owners(Root(given[0]));
  } else if (given.size() == 3 && given[1] == "changes") {
    print_changes(Root(given[0]), Root(given[2]));
  } else if (given.size() == 2 && given[0] == "compare") {
    compare(given[1]);
  } else {
    fmt::print(stderr, "usage: list_packages ROOT [owners | changes ROOT], or list_packages compare MANAGER\n");
    return 2;
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "list_packages: {}\n", error.what());
  return 1;
}
