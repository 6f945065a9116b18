// The devices of one btrfs, and its bytes by the addresses that its trees count with.
//
// Memory: 8 MiB of nodes that were used last, and at most 4096 chunks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fs/btrfs/chunks.hpp"
#include "fs/btrfs/format.hpp"
#include "fs/btrfs/node_cache.hpp"
#include "fs/btrfs/tree_node.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::btrfs {

// Bytes that lie in one piece on a device: which of those that were given, from 0.
struct Location {
  std::uint32_t device = 0;
  std::uint64_t offset = 0, length = 0;
};

class Volume {
 public:
  // Devices that belong to another btrfs than the first are left out. Error{corrupt} where the first bears none.
  explicit Volume(std::span<block::BlockDevice* const> devices);

  const SuperBlock& super() const { return super_; }
  const std::string& name() const;
  NodeAddress root() const { return {super_.root, super_.generation, super_.root_level, {}}; }

  // From the first copy that is intact and what the address says.
  std::shared_ptr<const TreeNode> node(const NodeAddress& address);
  // From the first copy that can be read and that `is_good` accepts; it is given each piece with its address.
  // Error{not_found} where it lies on devices that are not here.
  using Accept = std::function<bool(std::uint64_t logical, std::span<const std::byte>)>;
  void read(std::uint64_t logical, std::span<std::byte> out, const Accept& is_good);
  // Of the copies that read() tries, the first whose device is here.
  Location locate(std::uint64_t logical);

 private:
  struct Device {
    block::BlockDevice* device = nullptr;
    SuperBlock super;
    std::uint32_t index = 0;  // among those that were given
  };

  const Chunk& chunk_of(std::uint64_t logical);
  Chunk find_chunk(std::uint64_t logical);
  // Current devices first: one that was away may hold what has changed since.
  std::vector<Stripe> by_age(std::vector<Stripe> copies) const;
  const Device* device_of(const Stripe& copy) const;  // nullptr where it is not here
  base::Error missing(const Stripe& copy) const;
  void read_copy(const Stripe& copy, std::span<std::byte> out) const;
  // Tries the copies one after the other, until `check` does not throw.
  void read_checked(std::uint64_t logical, std::span<std::byte> out, const std::function<void()>& check);
  std::shared_ptr<const TreeNode> read_node(const NodeAddress& address);

  std::vector<Device> devices_;  // the newest first
  SuperBlock super_;
  std::map<std::uint64_t, Chunk> system_chunks_, chunks_;  // by where they begin
  bool is_finding_chunk_ = false;
  std::optional<NodeCache> nodes_;  // since their size is known
};

}  // namespace hrvm::fs::btrfs
