// Compressing one cluster, as QEMU's qcow2.txt has it under "Compressed Clusters Descriptor". The state of a compressor
// (some 300 KiB, zstd's up to 2 MiB) is made when it is first needed, and used again.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "hrvm/image/layout.hpp"

namespace hrvm::image {

class Deflater {
 public:
  explicit Deflater(Compression compression);
  Deflater(Deflater&&) noexcept;
  ~Deflater();

  // The compressed bytes; none when they would not be fewer than those of the cluster.
  std::vector<std::byte> deflate(std::span<const std::byte> cluster);

 private:
  struct State;
  Compression compression_;
  std::unique_ptr<State> state_;
};

}  // namespace hrvm::image
