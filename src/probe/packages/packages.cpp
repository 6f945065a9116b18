#include "hrvm/probe/packages.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "probe/packages/managers.hpp"

namespace hrvm::probe {
namespace {

struct Reader {
  PackageManager manager;
  bool (*read)(fs::FileSystem& root, PackageList& list);
  void (*claim)(fs::FileSystem& root, AskedPaths& paths);
};
constexpr Reader readers[] = {
    {PackageManager::dpkg, read_dpkg, claim_dpkg},
    {PackageManager::rpm, read_rpm, claim_rpm},
    {PackageManager::pacman, read_pacman, claim_pacman},
    {PackageManager::apk, read_apk, claim_apk},
};

std::string sentence(const base::Error& error) {
  return error.path().empty() ? error.message() : fmt::format("{}: {}", error.path(), error.message());
}

}  // namespace

std::vector<PackageDatabase> read_packages(fs::FileSystem& root) {
  std::vector<PackageDatabase> databases;
  for (const Reader& reader : readers) try {
      PackageList list;
      if (reader.read(root, list)) databases.push_back({reader.manager, list.take(), ""});
    } catch (const base::Error& error) {
      databases.push_back({reader.manager, {}, sentence(error)});
    }
  return databases;
}

std::vector<std::string> package_owners(fs::FileSystem& root, const std::vector<std::string>& paths) {
  AskedPaths asked(root, paths);
  for (const Reader& reader : readers) try {
      reader.claim(root, asked);
    } catch (const base::Error&) {
      // What it told before is right, and read_packages() says why there is no more.
    }
  return asked.take_owners();
}

}  // namespace hrvm::probe
