// MergeNote: a file in the machine's folder while layers are merged, which says how large the one is that grows. When
// the merge is killed it stays, and who takes the machine's lock next gives the space back that the merge had reserved.
#pragma once

#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

class MergeNote {
 public:
  // Of the layer's file as it is now.
  explicit MergeNote(const Path& layer);
  MergeNote(const MergeNote&) = delete;
  MergeNote& operator=(const MergeNote&) = delete;
  // The merge is done: there is nothing to give back.
  void remove() const;

 private:
  Path file_;
};

}  // namespace hrvm::machine
