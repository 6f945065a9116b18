// FAT12, FAT16 and FAT32: where firmware finds its loaders.
#include <fmt/core.h>

#include <algorithm>

#include "fs/fat/directory.hpp"
#include "fs/fat/volume.hpp"
#include "fs/path.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

namespace {

constexpr std::size_t largest_directory = 2 * base::MiB;  // 65536 entries: the specification's limit

class Fat final : public FileSystem {
 public:
  explicit Fat(block::BlockDevice& device) : volume_(device) {}

  std::string_view type() const override { return "vfat"; }

  std::optional<FileInfo> info(std::string_view path) override {
    const std::optional<fat::File> file = find(path);
    if (!file) return std::nullopt;
    return FileInfo{.kind = file->is_directory ? FileKind::directory : FileKind::regular,
                    .size_bytes = file->size,
                    .modified = file->modified};
  }

  std::vector<Entry> list(std::string_view path) override {
    const std::optional<fat::File> folder = find(path);
    if (!folder || !folder->is_directory) throw not_there(path, "is no folder");
    std::vector<Entry> entries;
    for (fat::File& file : files_of(*folder))
      entries.push_back({std::move(file.name), file.is_directory ? FileKind::directory : FileKind::regular});
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    const std::optional<fat::File> file = find(path);
    if (!file || file->is_directory) throw not_there(path, "is no file");
    if (offset >= file->size || file->first_cluster == 0) return {};
    return volume_.read_chain(file->first_cluster, offset, std::min<std::uint64_t>(length, file->size - offset));
  }

  std::string read_link(std::string_view path) override { throw not_there(path, "is no symbolic link"); }

 private:
  base::Error not_there(std::string_view path, std::string_view why) const {
    return base::Error(base::ErrorKind::not_found, fmt::format("{} {} on {}", path, why, volume_.device().name()))
        .on(std::string(path));
  }

  std::vector<fat::File> files_of(const fat::File& folder) {
    const std::uint32_t cluster = folder.first_cluster ? folder.first_cluster : volume_.root_cluster();
    std::vector<fat::File> files =
        fat::parse_directory(cluster ? volume_.read_chain(cluster, 0, largest_directory) : volume_.read_fixed_root());
    // FAT12 and FAT16 have 16-bit clusters; OS/2 kept other things in the upper half.
    if (volume_.root_cluster() == 0)
      for (fat::File& file : files) file.first_cluster &= 0xffff;
    return files;
  }

  std::optional<fat::File> find(std::string_view path) {
    fat::File here{.is_directory = true};
    for (const std::string& name : components(path)) {
      if (!here.is_directory) return std::nullopt;
      std::vector<fat::File> files = files_of(here);
      const auto same = [&](const fat::File& file) {
        return file.name.size() == name.size() && base::starts_with_ignoring_case(file.name, name);
      };
      const auto found = std::ranges::find_if(files, same);
      if (found == files.end()) return std::nullopt;
      here = std::move(*found);
    }
    return here;
  }

  fat::Volume volume_;
};

}  // namespace

std::unique_ptr<FileSystem> open_fat(block::BlockDevice& device) { return std::make_unique<Fat>(device); }

}  // namespace hrvm::fs
