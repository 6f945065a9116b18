#include <fmt/core.h>
#include <xxhash.h>

#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {
namespace {

using sys::FileType;
using sys::Path;

// All entries of a tree, one after the other. Their times alone nearly suffice: nobody can set st_ctime back.
class Walk {
 public:
  explicit Walk(std::uint64_t device) : device_(device) {}

  void add(const Path& path) {
    const auto status = sys::link_status(path);
    const auto line =
        fmt::format("{}\n{} {:o} {} {} {} {} {} {} {}\n", path.string(), int(status.type), status.mode, status.uid,
                    status.gid, status.type == FileType::directory ? 0 : status.size_bytes, status.inode, status.rdev,
                    status.modified.time_since_epoch().count(), status.changed.time_since_epoch().count());
    hash_ = XXH3_64bits_withSeed(line.data(), line.size(), hash_);
    ++entries_;
    if (status.type != FileType::directory || status.device != device_) return;
    for (const auto& name : sys::list_directory(path)) add(path / name);
  }

  std::string text() const { return fmt::format("{} entries, xxh3 {}", entries_, base::hex(hash_, 16)); }

 private:
  std::uint64_t device_, hash_ = 0, entries_ = 0;
};

}  // namespace

Fingerprint read_folder_fingerprint(const sys::Path& folder, base::Time now) {
  const auto root = sys::status(folder);
  Fingerprint fingerprint{now, {{"folder", fmt::format("inode {}", root.inode)}}};
  for (const auto& name : sys::list_directory(folder)) {
    Walk walk(root.device);
    walk.add(folder / name);
    fingerprint.marks.push_back({base::printable(name) + ": entries", walk.text()});
  }
  return fingerprint;
}

}  // namespace hrvm::machine
