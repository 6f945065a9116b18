// The databases of package managers that are text, made of the fuzzer's bytes: dpkg's status, lists and diversions,
// pacman's, apk's. Which of two versions is newer is the other way round for the other way round; what goes through the
// pipe of a confined child comes out as it was, or is refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/probe/noise.hpp"
#include "hrvm/probe/packages.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

namespace {

void compare(std::string_view a, std::string_view b) {
  using enum probe::PackageManager;
  for (const auto manager : {dpkg, rpm, pacman, apk})
    if ((probe::compare_versions(manager, a, b) < 0) != (probe::compare_versions(manager, b, a) > 0) ||
        probe::compare_versions(manager, a, a) != 0)
      std::abort();
}

void come_back(const std::string& text) try {
  const auto json = base::parse_json(text, "input");
  probe::packages_from_json(json);
  probe::package_changes_from_json(json);
} catch (const base::Error&) {
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  test::MemoryFiles files;
  files.add("/var/lib/dpkg/status", text).add("/var/lib/dpkg/status.d/a", text).add("/var/lib/dpkg/diversions", text);
  files.add("/var/lib/dpkg/status.d/a.md5sums", text).add("/var/lib/dpkg/info/a:b.list", text);
  files.add("/var/lib/pacman/local/a-1/desc", text).add("/var/lib/pacman/local/a-1/files", text);
  files.add("/lib/apk/db/installed", text).link("/usr/lib", "../lib");
  const auto databases = probe::read_packages(files);
  probe::compare_packages(databases, {});
  if (probe::packages_from_json(probe::to_json(databases)) != databases) std::abort();
  probe::package_owners(files, {"/usr/bin/x", "/lib/y", text});
  probe::is_noise(text);
  const auto half = std::string_view(text).substr(0, size / 2), rest = std::string_view(text).substr(size / 2);
  compare(half, rest);
  come_back(text);
  return 0;
}
