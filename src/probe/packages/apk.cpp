// apk's database (apk-tools' "Installed database"): paragraphs of "K:value", of which P is a package's name, V its
// version, A its architecture, F a folder, and R a file in the folder before it.
#include "probe/packages/file_lines.hpp"
#include "probe/packages/managers.hpp"

namespace hrvm::probe {
namespace {

// Where apk 3 has it in a system whose /lib is none of its own, and where all others have it.
constexpr std::string_view databases[] = {"/usr/lib/apk/db/installed", "/lib/apk/db/installed"};

// False where there is no database.
bool visit_fields(fs::FileSystem& root, const std::function<void(char key, std::string_view value)>& visitor) {
  const auto take = [&](std::string_view line) {
    if (line.empty())
      visitor('\0', "");
    else if (line.size() >= 2 && line[1] == ':')
      visitor(line[0], line.substr(2));
    return true;
  };
  for (const std::string_view path : databases)
    if (visit_lines(root, path, take)) return true;
  return false;
}

}  // namespace

bool read_apk(fs::FileSystem& root, PackageList& list) {
  std::string name, version, architecture;
  const auto finish = [&] {
    list.add(name, version, architecture);
    for (std::string* field : {&name, &version, &architecture}) field->clear();
  };
  const bool is_there = visit_fields(root, [&](char key, std::string_view value) {
    if (key == '\0') finish();
    if (key == 'P') name = value;
    if (key == 'V') version = value;
    if (key == 'A') architecture = value;
  });
  finish();
  return is_there;
}

void claim_apk(fs::FileSystem& root, AskedPaths& paths) {
  std::string name, folder, path;
  visit_fields(root, [&](char key, std::string_view value) {
    if (key == 'P') name = value;
    if (key == 'F') {
      folder.assign(value.empty() ? "" : "/").append(value);
      paths.claim(folder, name);
    }
    if (key == 'R') paths.claim(path.assign(folder).append("/").append(value), name);
  });
}

}  // namespace hrvm::probe
