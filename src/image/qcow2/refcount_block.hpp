// A refcount block in memory: counts of 1 to 64 bits, side by side (qcow2.txt, "Host cluster management").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::image {

// A count's width is 1 << order bits; those narrower than a byte begin at its lowest bit.
std::uint64_t refcount_at(std::span<const std::byte> block, unsigned order, std::uint64_t index);
// Beyond what the width can say, it says the most it can.
void set_refcount(std::span<std::byte> block, unsigned order, std::uint64_t index, std::uint64_t count);

constexpr std::uint64_t most_references(unsigned order) { return order == 6 ? ~0ull : (1ull << (1u << order)) - 1; }

}  // namespace hrvm::image
