// Inflating one compressed cluster: QEMU's qcow2.txt, "Compressed Clusters Descriptor".
//
// What is inflated is hostile: nothing is written beyond the output, and no memory is taken by what the input says. The
// state of a decompressor (some 200 KiB) is made when it is first needed, and used again.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "hrvm/image/layout.hpp"

namespace hrvm::image {

class Inflater {
 public:
  explicit Inflater(Compression compression);
  ~Inflater();

  // Fills all of `out` from the beginning of `in`, whose end may be of something else. False when the stream is
  // damaged, ends too early or gives more than that.
  bool inflate(std::span<const std::byte> in, std::span<std::byte> out);

 private:
  struct State;
  Compression compression_;
  std::unique_ptr<State> state_;
};

}  // namespace hrvm::image
