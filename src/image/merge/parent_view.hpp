// ParentView: what a child of an image would have to hold itself to do without it. The image is taken to go once that
// is read: large pieces of it leave the page cache then.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "hrvm/block/chunks.hpp"
#include "image/qcow2/device.hpp"

namespace hrvm::image {

enum class Gain {
  nothing,  // the parent holds nothing there: what backs it will go on showing it
  data,
  zero,
};

class ParentView {
 public:
  // The parent alone is opened; what backs it only when a piece has to be put together from both.
  explicit ParentView(const std::filesystem::path& path);

  const std::optional<BackingReference>& backing() const { return own_->header().backing; }

  // What a child has to gain for [offset, offset + length). Pieces of several kinds make it data.
  Gain gain(std::uint64_t offset, std::uint64_t length);
  // Whether the parent holds nothing in all of that range: cheap where it has no tables.
  bool is_empty(std::uint64_t offset, std::uint64_t length);
  // Where to read what the parent shows there, with zeros behind its end; by any thread, as long as this view is there.
  block::SharedSource& shown(std::uint64_t offset, std::uint64_t length);

 private:
  Mapping piece(std::uint64_t offset, std::uint64_t length);
  bool shows_backing(std::uint64_t offset, std::uint64_t length);

  std::filesystem::path path_;
  // A device and those who read it.
  struct Shared {
    std::unique_ptr<block::BlockDevice> device;
    block::SharedSource source;
    Shared(std::unique_ptr<block::BlockDevice> opened, block::PageCache cache)
        : device(std::move(opened)), source(*device, cache) {}
  };
  std::unique_ptr<Qcow2Device> own_;  // without what backs it
  // Opened when first needed: the same for other threads, and with what backs it.
  std::optional<Shared> own_shared_, whole_chain_;
};

}  // namespace hrvm::image
