#include <fmt/core.h>

#include <array>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"
#include "image/foreign/formats.hpp"
#include "image/qcow2/backing_path.hpp"
#include "image/qcow2/device.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;
using block::BlockDevice;

constexpr std::size_t deepest_chain = 64;

ImageFormat backing_format(const BackingReference& backing) {
  if (const auto format = from_word<ImageFormat>(backing.format)) return *format;
  if (backing.format.empty()) return detect_format(*block::open_device(backing.path));
  throw Error(ErrorKind::unsupported, fmt::format("the backing file {} is of format {}, which hrvm does not read",
                                                  backing.path, base::printable(backing.format)))
      .on(backing.path);
}

// The images of a chain so far, from its top down: it may neither loop nor be too deep.
class Descent {
 public:
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

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  // device and inode
};

class Chain {
 public:
  explicit Chain(const BackingOpener& open_base) : open_base_(open_base) {}

  std::unique_ptr<BlockDevice> open_qcow2(const std::filesystem::path& path) {
    descent_.enter(path);
    auto file = block::open_device(path);
    auto header = read_header(*file);
    auto backing = header.backing ? open_backing(resolved(*header.backing, path)) : nullptr;
    return std::make_unique<Qcow2Device>(std::move(file), header, std::move(backing));
  }

 private:
  std::unique_ptr<BlockDevice> open_backing(const BackingReference& backing) {
    const auto format = backing_format(backing);
    if (format == ImageFormat::qcow2) return open_qcow2(backing.path);
    return open_base_ ? open_base_(backing) : open_foreign(block::open_device(backing.path), format);
  }

  const BackingOpener& open_base_;
  Descent descent_;
};

}  // namespace

std::unique_ptr<BlockDevice> open_foreign(std::unique_ptr<BlockDevice> file, ImageFormat format) {
  switch (format) {
    case ImageFormat::vdi:
      return foreign::open_vdi(std::move(file));
    case ImageFormat::vpc:
      return foreign::open_vhd(std::move(file));
    case ImageFormat::vhdx:
      return foreign::open_vhdx(std::move(file));
    case ImageFormat::vmdk:
      return foreign::open_vmdk(std::move(file));
    case ImageFormat::raw:
    case ImageFormat::qcow2:
      break;
  }
  return file;
}

std::unique_ptr<BlockDevice> open_fresh(const BackingReference& backing) {
  return open_foreign(block::open_device(backing.path, block::Access::fresh), backing_format(backing));
}

std::unique_ptr<BlockDevice> open_image(const std::filesystem::path& file, ImageFormat format,
                                        BackingOpener open_backing) {
  if (format != ImageFormat::qcow2) return open_foreign(block::open_device(file), format);
  return Chain(open_backing).open_qcow2(file);
}

std::vector<ImageInfo> read_chain(const std::filesystem::path& file, std::optional<ImageFormat> format,
                                  const InfoReader& read) {
  std::vector<ImageInfo> chain;
  Descent descent;
  for (auto path = file;;) {
    descent.enter(path);
    chain.push_back(read_info(path, format, read));
    if (!chain.back().backing) return chain;
    auto backing = resolved(*chain.back().backing, path);
    format = backing_format(backing);
    path = backing.path;
  }
}

}  // namespace hrvm::image
