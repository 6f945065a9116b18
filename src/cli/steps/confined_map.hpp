// The map of an image, read in confined children part by part: so any length works, and none of them lives
// long.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "hrvm/image/map.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::cli {

class ConfinedMap {
 public:
  ConfinedMap(const std::filesystem::path& file, std::optional<image::ImageFormat> format)
      : path_(file), map_(file, format) {}

  std::uint64_t virtual_bytes() const { return map_.virtual_bytes(); }
  const std::vector<image::ImageMap::Layer>& layers() const { return map_.layers(); }

  // Tells all extents in order, joined as add_extent does, some thousand at once. What may take any time, as printing
  // to a pager, has its place in `at_rest`, which is called in between: no child has to wait for it.
  using Visitor = std::function<void(std::span<const image::MapExtent>)>;
  void visit(const Visitor& visit_extents, const std::function<void()>& at_rest);

 private:
  sys::ConfinedRun begin(std::uint64_t from);
  std::vector<image::MapExtent> finish(sys::ConfinedRun& run, std::uint64_t from) const;

  std::filesystem::path path_;
  image::ImageMap map_;
};

}  // namespace hrvm::cli
