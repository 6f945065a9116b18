// Which path led to a file when it was met last: a folder of the host opens nothing by the number of its inode.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::folder {

class SeenPaths {
 public:
  // Past `most_files`, or as many bytes of paths, the one that was asked for longest ago is forgotten.
  SeenPaths(std::size_t most_files, std::size_t most_bytes) : most_files_(most_files), most_bytes_(most_bytes) {}

  void add(const Node& node, std::string path);
  std::optional<std::string> find(const Node& node);

 private:
  using Used = std::list<std::pair<Node, std::string>>;

  void remove(std::map<Node, Used::iterator>::iterator known);

  std::size_t most_files_, most_bytes_, bytes_ = 0;
  Used used_;  // the last one in front
  std::map<Node, Used::iterator> by_node_;
};

}  // namespace hrvm::fs::folder
