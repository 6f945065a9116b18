#include "machine/drift/base_files.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/mark.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/sys/files.hpp"
#include "machine/drift/marks.hpp"
#include "machine/drift/traces.hpp"

namespace hrvm::machine {
namespace {

constexpr Marker qcow2 = {"qcow2", "header and tables", image::look_at_qcow2};

std::string state_text(const sys::FileStatus& status) {
  return fmt::format("{} bytes, last written {}", status.size_bytes, time_text(status.modified));
}

}  // namespace

std::unique_ptr<block::BlockDevice> open_base(const sys::Host& host, const probe::Disk& base) {
  if (base.format != probe::DiskFormat::qcow2)
    return image::open_foreign(block::open_device(host.path(base.path), block::Access::fresh),
                               probe::image_format(base.format));
  return image::open_image(base.path, image::ImageFormat::qcow2, image::open_fresh);
}

std::vector<std::string> base_files(const BaseIdentity& base) {
  if (base.format != BaseFormat::qcow2) return {base.path};
  std::vector<std::string> files;
  try {
    for (const auto& image : image::read_chain(base.path, image::ImageFormat::qcow2)) files.push_back(image.path);
  } catch (const base::Error&) {
    return {base.path};
  }
  return files;
}

std::vector<BaseFile> open_base_files(const probe::Disk& base) {
  std::vector<BaseFile> files;
  for (const auto& file : base.files)
    if (!file.is_device)
      files.push_back({block::open_device(file.path), file.format, state_text(sys::status(file.path))});
  return files;
}

Mark file_mark(const BaseFile& file) {
  const auto& path = file.device->name();
  if (file.format != image::ImageFormat::qcow2) return {path + ": file", file.state};
  return {fmt::format("{}: {}", path, qcow2.noun), file.state + "; " + read_mark(qcow2, *file.device)};
}

}  // namespace hrvm::machine
