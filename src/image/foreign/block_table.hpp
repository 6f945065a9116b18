// A disk as other hypervisors keep it: cut into blocks of one size, and a table that says where in the file each lies.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::image::foreign {

// Error{corrupt} for a file whose structures lead nowhere, or contradict each other.
base::Error corrupt(const block::BlockDevice& file, const std::string& what);
// Error{unsupported} for one that is sound, and that only its own tools read.
base::Error unsupported(const block::BlockDevice& file, const std::string& what);

// Entries of a table, as they are asked for: it may be larger than is worth keeping. Memory: 256 KiB at most.
class TablePages {
 public:
  explicit TablePages(block::BlockDevice& file) : file_(file) {}

  // The entry at `offset`, which is a multiple of its size. Error{corrupt} beyond the file's end.
  template <typename T>
  T load(std::uint64_t offset) {
    if (offset > file_.size() || sizeof(T) > file_.size() - offset) throw corrupt(file_, "a table leaves it");
    return base::load<T>(page(offset / page_bytes), std::size_t(offset % page_bytes));
  }

 private:
  static constexpr std::size_t page_bytes = 4096, most_pages = 64;
  struct Page {
    std::uint64_t number = ~std::uint64_t(0);
    std::vector<std::byte> bytes;
  };
  std::span<const std::byte> page(std::uint64_t number);

  block::BlockDevice& file_;
  std::array<Page, most_pages> pages_;
};

class BlockTable {
 public:
  virtual ~BlockTable() = default;
  // Where in the file block `number` begins; nullopt where it shows zeros.
  virtual std::optional<std::uint64_t> find(std::uint64_t number) = 0;
  // Whether blocks lie in the file as they are; of others unpack() fills all of `block` from where find() says.
  virtual bool is_plain() const { return true; }
  virtual void unpack(std::uint64_t /*offset*/, std::uint64_t /*number*/, std::span<std::byte> /*block*/) {}
};

struct Shape {
  ImageFormat format;
  std::uint64_t bytes = 0;        // of the disk
  std::uint64_t block_bytes = 0;  // never 0
};

// A block that leaves the file is Error{corrupt} when it is read.
std::unique_ptr<block::BlockDevice> mapped_device(std::unique_ptr<block::BlockDevice> file, Shape shape,
                                                  std::unique_ptr<BlockTable> table);

// Of a device that mapped_device() made the format it reads; of all others raw.
ImageFormat format_of(const block::BlockDevice* device);

}  // namespace hrvm::image::foreign
