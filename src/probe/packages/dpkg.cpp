// dpkg's database, /var/lib/dpkg (deb-control(5), dpkg(1) "Package states"): stanzas in `status`; newer ones in
// `updates`, files of digits, which dpkg brings into it when it ends, or after a crash when it is next started; or in
// images without dpkg (distroless) a file for each package in `status.d`; the files of each package in info/NAME.list
// or info/NAME:ARCH.list.
#include <algorithm>
#include <array>
#include <map>

#include "hrvm/base/error.hpp"
#include "probe/packages/file_lines.hpp"
#include "probe/packages/managers.hpp"
#include "probe/packages/version_text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view status_path = "/var/lib/dpkg/status", status_folder = "/var/lib/dpkg/status.d";
constexpr std::string_view updates_folder = "/var/lib/dpkg/updates", sums_suffix = ".md5sums";
constexpr std::string_view info_folder = "/var/lib/dpkg/info", diversions_path = "/var/lib/dpkg/diversions";

// The last word of Status. All but these have files on the disk: one that is unpacked or half-configured is there, if
// not ready, and one that is half-installed was left in the middle of it. Of one in config-files only those are left.
constexpr std::array<std::string_view, 2> states_of_no_package = {"not-installed", "config-files"};

struct State {
  std::string version;
  bool is_there = false;
};

// The packages that stanzas tell, the last word on each. Bounded as a PackageList is.
class Stanzas {
 public:
  void take(std::string_view line) {
    if (line.empty()) return finish();
    for (const auto& [key, value] : {std::pair{"Package: ", &name_},
                                     {"Version: ", &version_},
                                     {"Architecture: ", &architecture_},
                                     {"Status: ", &status_}})
      if (line.starts_with(key)) *value = line.substr(std::string_view(key).size());
  }
  // Where there is no empty line at the end.
  void finish() {
    const auto state = std::string_view(status_).substr(status_.rfind(' ') + 1);
    if (!name_.empty()) keep(std::ranges::find(states_of_no_package, state) == states_of_no_package.end());
    for (std::string* field : {&name_, &version_, &architecture_, &status_}) field->clear();
  }
  void add_to(PackageList& list) const {
    for (const auto& [package, state] : packages_)
      if (state.is_there) list.add(package.first, state.version, package.second);
  }

 private:
  void keep(bool is_there) {
    text_ += name_.size() + architecture_.size() + version_.size();
    if (text_ > 2 * most_package_text || packages_.size() > 2 * most_packages)
      throw base::Error(base::ErrorKind::unsupported, "it names more packages than hrvm reads");
    packages_[{name_, architecture_}] = {version_, is_there};
  }

  std::map<std::pair<std::string, std::string>, State> packages_;  // by name and architecture
  std::size_t text_ = 0;
  std::string name_, version_, architecture_, status_;
};

bool is_folder(fs::FileSystem& root, std::string_view path) {
  const auto resolved = fs::resolve(root, path);
  const auto info = resolved ? root.info(*resolved) : std::nullopt;
  return info && info->kind == fs::FileKind::directory;
}

struct Diversion {
  std::string to, by;  // by ":" (locally) it holds for all packages, else for all but this one
};
using Diversions = std::map<std::string, Diversion, std::less<>>;

// Three lines each: from, to, by whom.
Diversions read_diversions(fs::FileSystem& root) {
  constexpr std::size_t most_diversions = 1 << 14;
  Diversions diversions;
  std::array<std::string, 3> lines;
  std::size_t count = 0;
  visit_lines(root, diversions_path, [&](std::string_view line) {
    lines[count++] = line;
    if (count < lines.size()) return true;
    count = 0;
    diversions[lines[0]] = {lines[1], lines[2]};
    return diversions.size() < most_diversions;
  });
  return diversions;
}

// "libc6:amd64.list" is of the package libc6.
std::string_view package_of(std::string_view file_name, std::string_view suffix) {
  file_name.remove_suffix(suffix.size());
  return file_name.substr(0, file_name.find(':'));
}

void claim_lists(fs::FileSystem& root, AskedPaths& paths) {
  constexpr std::string_view suffix = ".list";
  const Diversions diversions = read_diversions(root);
  visit_names(root, info_folder, fs::FileKind::regular, [&](const std::string& file_name, fs::Node file) {
    if (!file_name.ends_with(suffix)) return;
    const auto package = package_of(file_name, suffix);
    visit_lines(root, file, [&](std::string_view path) {
      const auto diverted = diversions.find(path);
      const bool is_diverted = diverted != diversions.end() && diverted->second.by != package;
      paths.claim(is_diverted ? std::string_view(diverted->second.to) : path, package);
      return true;
    });
  });
}

// Lines "SUM  usr/bin/x", of which distroless has no other list.
void claim_sums(fs::FileSystem& root, AskedPaths& paths) {
  constexpr std::string_view before_path = "  ";
  std::string path;
  visit_names(root, status_folder, fs::FileKind::regular, [&](const std::string& file_name, fs::Node file) {
    if (!file_name.ends_with(sums_suffix)) return;
    visit_lines(root, file, [&](std::string_view line) {
      if (const auto start = line.find(before_path); start != std::string_view::npos)
        paths.claim(path.assign("/").append(line.substr(start + before_path.size())),
                    package_of(file_name, sums_suffix));
      return true;
    });
  });
}

}  // namespace

bool read_dpkg(fs::FileSystem& root, PackageList& list) {
  Stanzas stanzas;
  const LineVisitor take = [&](std::string_view line) {
    stanzas.take(line);
    return true;
  };
  const auto take_file = [&](fs::Node file) {
    visit_lines(root, file, take);
    stanzas.finish();
  };
  const bool has_status = visit_lines(root, status_path, take);
  stanzas.finish();
  visit_names(root, updates_folder, fs::FileKind::regular, [&](const std::string& name, fs::Node file) {
    if (std::ranges::all_of(name, is_digit)) take_file(file);
  });
  visit_names(root, status_folder, fs::FileKind::regular, [&](const std::string& name, fs::Node file) {
    if (!name.ends_with(sums_suffix)) take_file(file);
  });
  stanzas.add_to(list);
  return has_status || is_folder(root, status_folder);
}

void claim_dpkg(fs::FileSystem& root, AskedPaths& paths) {
  claim_lists(root, paths);
  claim_sums(root, paths);
}

}  // namespace hrvm::probe
