// ParentView: what a child of an image would have to hold itself to do without it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "qcow2_device.hpp"

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
  // What the parent shows there, zeros behind its end.
  void read(std::uint64_t offset, std::span<std::byte> out);

 private:
  Mapping piece(std::uint64_t offset, std::uint64_t length);
  bool shows_backing(std::uint64_t offset, std::uint64_t length);

  std::filesystem::path path_;
  std::unique_ptr<Qcow2Device> own_;                 // without what backs it
  std::unique_ptr<block::BlockDevice> whole_chain_;  // opened when first needed
};

}  // namespace hrvm::image
