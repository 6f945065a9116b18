// DiskImage: what a guest sees of an image file and everything that backs it, as a BlockDevice.
//
// Formats are never probed where a header names one. Images are opened O_RDONLY and no lock is taken: the caller knows
// whether somebody writes to it. Everything in the file is hostile: offsets and counts are held against the file's size
// before memory is taken, chains are at most 64 deep and may not loop; what breaks the format is Error{corrupt} with the
// offset. Memory: header, one L1 table (8 bytes for each l2 table, at most 32 MiB) and a bounded cache of L2 tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/create.hpp"

namespace hrvm::image {

enum class ImageFormat { raw, qcow2 };
std::string_view word(ImageFormat format);

// By the magic in its first bytes. For files that a person names; never for what a header names.
ImageFormat detect_format(block::BlockDevice& file);

// What an image's own header says, without its backing chain.
struct ImageInfo {
  ImageFormat format = ImageFormat::raw;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t allocated_bytes = 0;  // blocks of the file, as du counts
  std::uint32_t cluster_bytes = 0;    // 0 for raw
  bool subclusters = false;
  std::optional<BackingReference> backing;
};
ImageInfo read_info(const std::filesystem::path& file, std::optional<ImageFormat> format = std::nullopt);

// Opens what a header's BackingReference names, which is already made absolute against the image's folder.
using BackingOpener = std::function<std::unique_ptr<block::BlockDevice>(const BackingReference&)>;

// A qcow2 image with its whole chain. `open_backing` is asked for the first backing that is not qcow2 (the base);
// without it the path in the header is opened. Reads beyond a shorter backing file give zeros.
std::unique_ptr<block::BlockDevice> open_image(const std::filesystem::path& file, ImageFormat format,
                                               BackingOpener open_backing = {});

}  // namespace hrvm::image
