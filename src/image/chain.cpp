#include <fmt/core.h>

#include <array>
#include <set>

#include "backing_path.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"
#include "qcow2_device.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;
using block::BlockDevice;

constexpr std::size_t deepest_chain = 64;

// Opens a chain from its top down, and knows what it has opened so far.
class Chain {
 public:
  explicit Chain(const BackingOpener& open_base) : open_base_(open_base) {}

  std::unique_ptr<BlockDevice> open_qcow2(const std::filesystem::path& path) {
    enter(path);
    auto file = block::open_device(path);
    auto header = read_header(*file);
    auto backing = header.backing ? open_backing(resolved(*header.backing, path)) : nullptr;
    return std::make_unique<Qcow2Device>(std::move(file), header, std::move(backing));
  }

 private:
  void enter(const std::filesystem::path& path) {
    auto status = sys::status(path);
    bool is_new = seen_.emplace(status.device, status.inode).second;
    if (status.type != sys::FileType::missing && !is_new) {
      throw Error(ErrorKind::corrupt, fmt::format("{} backs itself", path.string())).on(path.string());
    }
    if (seen_.size() > deepest_chain) {
      throw Error(ErrorKind::unsupported,
                  fmt::format("the chain above {} has more than {} images", path.string(), deepest_chain))
          .on(path.string());
    }
  }

  std::unique_ptr<BlockDevice> open_backing(const BackingReference& backing) {
    if (backing_format(backing) == ImageFormat::qcow2) return open_qcow2(backing.path);
    return open_base_ ? open_base_(backing) : block::open_device(backing.path);
  }

  static ImageFormat backing_format(const BackingReference& backing) {
    for (auto format : {ImageFormat::raw, ImageFormat::qcow2}) {
      if (backing.format == word(format)) return format;
    }
    if (backing.format.empty()) return detect_format(*block::open_device(backing.path));
    throw Error(ErrorKind::unsupported, fmt::format("the backing file {} is of format {}, which hrvm does not read",
                                                    backing.path, base::printable(backing.format)))
        .on(backing.path);
  }

  const BackingOpener& open_base_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  // device and inode
};

}  // namespace

std::unique_ptr<BlockDevice> open_image(const std::filesystem::path& file, ImageFormat format,
                                        BackingOpener open_backing) {
  if (format == ImageFormat::raw) return block::open_device(file);
  return Chain(open_backing).open_qcow2(file);
}

}  // namespace hrvm::image
