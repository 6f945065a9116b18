#include "cli/steps/image_reading.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/messages.hpp"
#include "cli/views/image_info_json.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {

// The answer's first line is JSON; the backing file's name follows as it is, which need not be UTF-8.
image::ImageInfo read_info_confined(block::BlockDevice& file, std::optional<image::ImageFormat> format) {
  const auto answer = read_confined(file.name(), [&] {
    const auto info = read_info(file, format);
    return base::to_text(to_json(info), -1) + "\n" + (info.backing ? info.backing->path : "");
  });
  const auto line = std::string_view(answer).substr(0, answer.find('\n'));
  auto info = image_info_from_json(base::parse_json(line, file.name()));
  if (info.backing) info.backing->path = answer.substr(std::min(line.size() + 1, answer.size()));
  return info;
}

// QEMU, or, of a disk, a mount or whoever else holds it.
static std::vector<probe::Use> uses_of(const Context& context, const std::string& path) {
  if (block::image_use(path) == block::ImageUse::write) {
    const auto holder = block::image_holder(path);
    return {{probe::UsedBy::qemu, holder.text(), true, holder.remedy()}};
  }
  if (sys::status(path).type != sys::FileType::block) return {};
  return probe::locate_disk(context.host, path).in_use;
}

void check_unwritten(const Context& context, const std::vector<image::ImageInfo>& chain) {
  for (const auto& image : chain)
    heed(machine::objections(image.path, uses_of(context, image.path), machine::Purpose::reading),
         context.arguments.has("--allow-in-use"), listener(context).warn);
}

std::unique_ptr<block::BlockDevice> open_for_reading(const image::ImageInfo& image) {
  if (image.format != image::ImageFormat::qcow2)
    return image::open_foreign(block::open_device(image.path, block::Access::fresh), image.format);
  return image::open_image(image.path, image.format, image::open_fresh);
}

std::string read_confined(const std::filesystem::path& path, const sys::ConfinedFunction& function) {
  sys::ConfinedRun run(function);
  return read_confined(path, run);
}

std::string read_confined(const std::filesystem::path& path, sys::ConfinedRun& run) {
  auto answer = run.answer();
  if (answer.text) return std::move(*answer.text);
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("{} cannot be read: its reader {}", path.string(), answer.death))
      .on(path.string())
      .hint("the image may be damaged, or made to break what reads it; please report it");
}

}  // namespace hrvm::cli
