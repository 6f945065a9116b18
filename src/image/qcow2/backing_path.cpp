#include "image/qcow2/backing_path.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::image {

bool names_protocol(const std::string& path) {
  auto at = path.find_first_of(":/");
  return at != path.npos && path[at] == ':';
}

BackingReference resolved(const BackingReference& backing, const std::filesystem::path& image) {
  if (names_protocol(backing.path)) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} is backed by {}, and hrvm opens only files and disks", image.string(),
                                  base::printable(backing.path)))
        .on(image.string());
  }
  return {(sys::absolute(image).parent_path() / backing.path).string(), backing.format};
}

BackingReference moved(const BackingReference& backing, const std::filesystem::path& from,
                       const std::filesystem::path& to) {
  bool same_folder = sys::absolute(from).parent_path() == sys::absolute(to).parent_path();
  return same_folder ? backing : resolved(backing, from);
}

}  // namespace hrvm::image
