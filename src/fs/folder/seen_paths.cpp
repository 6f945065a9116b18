#include "fs/folder/seen_paths.hpp"

namespace hrvm::fs::folder {

void SeenPaths::remove(std::map<Node, Used::iterator>::iterator known) {
  bytes_ -= known->second->second.size();
  used_.erase(known->second);
  by_node_.erase(known);
}

void SeenPaths::add(const Node& node, std::string path) {
  if (const auto known = by_node_.find(node); known != by_node_.end()) remove(known);
  bytes_ += path.size();
  used_.emplace_front(node, std::move(path));
  by_node_.emplace(node, used_.begin());
  while (used_.size() > most_files_ || (bytes_ > most_bytes_ && used_.size() > 1))
    remove(by_node_.find(used_.back().first));
}

std::optional<std::string> SeenPaths::find(const Node& node) {
  const auto known = by_node_.find(node);
  if (known == by_node_.end()) return std::nullopt;
  used_.splice(used_.begin(), used_, known->second);
  return known->second->second;
}

}  // namespace hrvm::fs::folder
