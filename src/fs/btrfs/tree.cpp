#include "fs/btrfs/tree.hpp"

#include <fmt/core.h>

#include "fs/btrfs/volume.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {

void Cursor::descend(const NodeAddress& address) {
  for (auto here = address;;) {
    path_.push_back({volume_->node(here), 0});
    if (here.level == 0) return;
    here = path_.back().node->child(0);
  }
}

void Cursor::next() {
  const auto before = key();
  ++path_.back().slot;
  while (path_.back().slot == path_.back().node->count()) {
    path_.pop_back();
    if (path_.empty()) return;
    ++path_.back().slot;
  }
  const auto& here = path_.back();
  if (here.node->level() != 0) descend(here.node->child(here.slot));
  if (!(before < key()))
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("a tree of the btrfs on {} is not in order", volume_->name()))
        .on(volume_->name());
}

Cursor Tree::at_or_before(const Key& key) const {
  Cursor cursor(*volume_);
  if (root_.level >= deepest_tree)
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("a tree of the btrfs on {} is {} levels deep", volume_->name(), root_.level))
        .on(volume_->name());
  for (auto here = root_;;) {
    const auto node = volume_->node(here);
    const auto count = node->count_up_to(key);
    if (count == 0) return Cursor(*volume_);
    cursor.path_.push_back({node, count - 1});
    if (here.level == 0) return cursor;
    here = node->child(count - 1);
  }
}

Cursor Tree::from(const Key& key) const {
  auto cursor = at_or_before(key);
  if (!cursor.valid()) {
    cursor.descend(root_);
    if (cursor.path_.back().node->count() == 0) return Cursor(*volume_);
  } else if (cursor.key() < key) {
    cursor.next();
  }
  return cursor;
}

Cursor Tree::find(const Key& key) const {
  auto cursor = at_or_before(key);
  return cursor.is_at(key) ? cursor : Cursor(*volume_);
}

}  // namespace hrvm::fs::btrfs
