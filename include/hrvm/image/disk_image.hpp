// DiskImage: what a guest sees of an image file and everything that backs it, as a BlockDevice.
//
// Formats are never probed where a header names one. Images are opened O_RDONLY and no lock is taken: the caller knows
// whether somebody writes to it. Everything in the file is hostile: offsets and counts are held against the file's size
// before memory is taken, chains are at most 64 deep and may not loop; what breaks the format is Error{corrupt} with
// the offset. Memory: header, one L1 table (8 bytes for each l2 table, at most 32 MiB) and a bounded cache of L2
// tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/time.hpp"
#include "hrvm/base/words.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/image/layout.hpp"

namespace hrvm::image {

using base::from_word;
using base::word;

// By the names that QEMU has for them: vpc is VHD. Those after qcow2 are other hypervisors', and are read alone.
enum class ImageFormat { raw, qcow2, vdi, vpc, vhdx, vmdk };
constexpr std::array<std::string_view, 6> words_of(ImageFormat) {
  return {"raw", "qcow2", "vdi", "vpc", "vhdx", "vmdk"};
}
constexpr bool is_foreign(ImageFormat format) { return format > ImageFormat::qcow2; }

// By the magic in its first bytes; of a fixed VHD in its last. For files that a person names; never for what a header
// names.
ImageFormat detect_format(block::BlockDevice& file);

// A snapshot inside of an image, as `savevm` and `qemu-img snapshot` make them.
struct InternalSnapshot {
  std::string id, name;  // bytes from the image: any
  base::Time taken{};
  std::uint64_t vm_state_bytes = 0;  // 0: of the disk alone
  friend bool operator==(const InternalSnapshot&, const InternalSnapshot&) = default;
};

// What an image's own header says, without its backing chain. Of a raw image the fields of qcow2 stay as they are here.
struct ImageInfo {
  std::string path;
  ImageFormat format = ImageFormat::raw;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t allocated_bytes = 0;  // blocks of the file, as du counts
  std::uint32_t cluster_bytes = 0;    // 0 for raw
  bool subclusters = false;
  unsigned version = 0;  // 2 or 3
  unsigned refcount_bits = 0;
  std::string compression;  // "zlib" or "zstd": of those clusters that are compressed
  bool dirty = false;       // its refcounts may lag behind: it was not closed
  bool corrupt = false;     // QEMU found it broken, and refuses to write to it
  std::vector<InternalSnapshot> snapshots;
  std::optional<BackingReference> backing;  // as the header has it
  std::optional<std::string> backing_file;  // its absolute path, unless it is a protocol's name
};
// Of the bytes that `file` holds: what only its path and its blocks give stays empty.
ImageInfo read_info(block::BlockDevice& file, std::optional<ImageFormat> format = std::nullopt);
// Reads what a file says of itself; replaceable, so that a caller can have it done in a confined child.
using InfoReader = std::function<ImageInfo(block::BlockDevice& file, std::optional<ImageFormat> format)>;
ImageInfo read_info(const std::filesystem::path& file, std::optional<ImageFormat> format = std::nullopt,
                    const InfoReader& read = {});
// Whether no cluster of the disk was ever written to a qcow2 image. Error as of read_info.
bool stores_nothing(const std::filesystem::path& file);
// An image and all that backs it, the image first.
std::vector<ImageInfo> read_chain(const std::filesystem::path& file, std::optional<ImageFormat> format = std::nullopt,
                                  const InfoReader& read = {});

// Opens what a header's BackingReference names, which is already made absolute against the image's folder.
using BackingOpener = std::function<std::unique_ptr<block::BlockDevice>(const BackingReference&)>;
// One that reads past the page cache, where somebody may have written on another way.
std::unique_ptr<block::BlockDevice> open_fresh(const BackingReference& backing);

// A disk in another hypervisor's image: foreign_formats.hpp has their specifications. It keeps some pages of its
// tables. Error{corrupt}, and Error{unsupported} of those that are sound and not read: differencing ones, those that
// were not closed, and a VHD that QEMU would show otherwise than it is.
std::unique_ptr<block::BlockDevice> open_foreign(std::unique_ptr<block::BlockDevice> file, ImageFormat format);

// An image with its whole chain. `open_backing` is asked for the first backing that is not qcow2 (the base), which it
// opens by its format; without it the path in the header is opened. Reads beyond a shorter backing file give zeros.
std::unique_ptr<block::BlockDevice> open_image(const std::filesystem::path& file, ImageFormat format,
                                               BackingOpener open_backing = {});

}  // namespace hrvm::image
