// What the targets for qcow2 images share: the fuzzer's bytes as a file, and what they may end in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"

namespace hrvm::fuzz {

inline std::vector<std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  return {bytes.begin(), bytes.end()};
}

inline std::unique_ptr<block::BlockDevice> file_of(const std::uint8_t* data, std::size_t size) {
  return block::memory_device(bytes_of(data, size), "image");
}

// An Error is what hostile bytes are to end in; anything else is found by the fuzzer.
template <typename Function>
int run(Function function) {
  try {
    function();
  } catch (const base::Error&) {
  }
  return 0;
}

}  // namespace hrvm::fuzz
