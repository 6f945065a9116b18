// pacman's database: a folder NAME-VERSION for each package, with its `desc` and its `files` (PKGBUILD(5),
// alpm-db-desc(5), alpm-db-files(5)): sections of "%KEY%", lines and an empty one.
#include "probe/packages/file_lines.hpp"
#include "probe/packages/managers.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view database = "/var/lib/pacman/local";

// Its lines with the section that they stand in. False where the package has no such file.
bool visit_sections(fs::FileSystem& root, fs::Node package, std::string_view name,
                    const std::function<void(std::string_view section, std::string_view line)>& visitor) {
  const auto file = root.find(package, name);
  if (!file || root.stat(*file).kind != fs::FileKind::regular) return false;
  std::string section;
  visit_lines(root, *file, [&](std::string_view line) {
    if (line.empty())
      section.clear();
    else if (section.empty())
      section = line;
    else
      visitor(section, line);
    return true;
  });
  return true;
}

struct Description {
  std::string name, version, architecture;
};

Description describe(fs::FileSystem& root, fs::Node package) {
  Description description;
  visit_sections(root, package, "desc", [&](std::string_view section, std::string_view line) {
    if (section == "%NAME%") description.name = line;
    if (section == "%VERSION%") description.version = line;
    if (section == "%ARCH%") description.architecture = line;
  });
  return description;
}

}  // namespace

bool read_pacman(fs::FileSystem& root, PackageList& list) {
  visit_names(root, database, fs::FileKind::directory, [&](const std::string&, fs::Node package) {
    const auto description = describe(root, package);
    list.add(description.name, description.version, description.architecture);
  });
  return fs::exists(root, database);
}

// Paths go without the first slash, those of folders end in one.
void claim_pacman(fs::FileSystem& root, AskedPaths& paths) {
  std::string path;
  visit_names(root, database, fs::FileKind::directory, [&](const std::string&, fs::Node package) {
    const std::string name = describe(root, package).name;
    visit_sections(root, package, "files", [&](std::string_view section, std::string_view line) {
      if (section != "%FILES%") return;
      if (line.ends_with('/')) line.remove_suffix(1);
      paths.claim(path.assign("/").append(line), name);
    });
  });
}

}  // namespace hrvm::probe
