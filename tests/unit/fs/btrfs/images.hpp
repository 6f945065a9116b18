// btrfs that mkfs fills with the tree of a folder.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {

using Words = std::vector<std::string>;

inline Path make_btrfs(const TemporaryDirectory& folder, const Words& options) {
  const auto image = folder / "image";
  std::ofstream(image).flush();
  std::filesystem::resize_file(image, 128 * base::MiB);
  Words command = {"mkfs.btrfs", "-q", "--rootdir", (folder / "tree").string()};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(image);
  output_of(command);
  return image;
}

}  // namespace hrvm::fs::test
