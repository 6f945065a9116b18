#include "fs/btrfs/volume.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/super.hpp"
#include "fs/btrfs/tree.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t node_cache_bytes = 8 * base::MiB, most_chunks = 4096;

const Chunk* holder(const std::map<std::uint64_t, Chunk>& chunks, std::uint64_t logical) {
  const auto behind = chunks.upper_bound(logical);
  if (behind == chunks.begin()) return nullptr;
  const auto& chunk = std::prev(behind)->second;
  return chunk.holds(logical) ? &chunk : nullptr;
}

// Set while it lives.
class Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag) { flag_ = true; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_ = false; }

 private:
  bool& flag_;
};

}  // namespace

Volume::Volume(std::span<block::BlockDevice* const> devices) {
  for (std::uint32_t index = 0; index < devices.size(); ++index)
    if (const auto super = read_super(*devices[index])) {
      if (!devices_.empty() && devices_.front().super.filesystem != super->filesystem) continue;
      devices_.push_back({devices[index], *super, index});
    }
  if (devices_.empty())
    throw Error(ErrorKind::corrupt, fmt::format("there is no sound superblock of btrfs on {}",
                                                devices.empty() ? "no device" : devices.front()->name()));
  std::ranges::stable_sort(devices_, std::ranges::greater(),
                           [](const Device& each) { return std::uint64_t(each.super.generation); });
  super_ = devices_.front().super;
  check_super(super_, *devices_.front().device);
  nodes_.emplace(node_cache_bytes / super_.node_bytes);
  for (auto& chunk : parse_system_chunks(std::span(super_.system_chunks).first(super_.system_chunks_bytes)))
    system_chunks_.emplace(chunk.logical, std::move(chunk));
}

const std::string& Volume::name() const { return devices_.front().device->name(); }

const Chunk& Volume::chunk_of(std::uint64_t logical) {
  if (const auto* chunk = holder(system_chunks_, logical)) return *chunk;
  if (const auto* chunk = holder(chunks_, logical)) return *chunk;
  auto found = find_chunk(logical);
  if (chunks_.size() == most_chunks) chunks_.clear();
  return chunks_.insert_or_assign(found.logical, std::move(found)).first->second;
}

Chunk Volume::find_chunk(std::uint64_t logical) {
  // The tree that maps chunks is found by the superblock alone.
  if (!is_finding_chunk_) {
    const Busy busy(is_finding_chunk_);
    const NodeAddress root{super_.chunk_root, super_.chunk_root_generation, super_.chunk_root_level, {}};
    const auto at = Tree(*this, root).at_or_before({chunk_object, chunk_item, logical});
    if (at.valid() && at.key().object == chunk_object && at.key().type == chunk_item) {
      auto chunk = parse_chunk(at.key().offset, at.data());
      if (chunk.holds(logical)) return chunk;
    }
  }
  throw Error(ErrorKind::corrupt, fmt::format("no chunk of the btrfs on {} holds address {:#x}", name(), logical))
      .on(name());
}

std::vector<Stripe> Volume::by_age(std::vector<Stripe> copies) const {
  const auto age = [&](const Stripe& copy) {
    return std::ranges::find(devices_, copy.device, [](const Device& d) { return std::uint64_t(d.super.device.id); }) -
           devices_.begin();
  };
  if (devices_.front().super.generation != devices_.back().super.generation) std::ranges::stable_sort(copies, {}, age);
  return copies;
}

const Volume::Device* Volume::device_of(const Stripe& copy) const {
  const auto found = std::ranges::find_if(devices_, [&](const Device& each) {
    return each.super.device.id == copy.device && each.super.device.uuid == copy.device_uuid;
  });
  return found == devices_.end() ? nullptr : &*found;
}

Error Volume::missing(const Stripe& copy) const {
  return Error(ErrorKind::not_found, fmt::format("device {} of the {} of the btrfs on {} is not here", copy.device,
                                                 std::uint64_t(super_.devices), name()))
      .on(name());
}

void Volume::read_copy(const Stripe& copy, std::span<std::byte> out) const {
  const auto* device = device_of(copy);
  if (!device) throw missing(copy);
  device->device->read(copy.offset, out);
}

Location Volume::locate(std::uint64_t logical) {
  auto placement = place(chunk_of(logical), logical);
  const auto copies = by_age(std::move(placement.copies));
  const auto here = std::ranges::find_if(copies, [&](const Stripe& copy) { return device_of(copy) != nullptr; });
  if (here == copies.end()) throw missing(copies.front());
  const auto& device = *device_of(*here);
  const auto size = device.device->size();
  if (here->offset >= size)
    throw Error(ErrorKind::corrupt, fmt::format("what lies at address {:#x} is beyond the end of its device", logical))
        .on(device.device->name());
  return {device.index, here->offset, std::min(placement.length, size - here->offset)};
}

void Volume::read_checked(std::uint64_t logical, std::span<std::byte> out, const std::function<void()>& check) {
  auto placement = place(chunk_of(logical), logical);
  if (placement.length < out.size())
    throw Error(ErrorKind::corrupt, fmt::format("what lies at address {:#x} leaves its chunk", logical)).on(name());
  std::optional<Error> trouble;
  for (const auto& copy : by_age(std::move(placement.copies))) try {
      read_copy(copy, out);
      return check();
    } catch (const Error& error) {
      // What is here and broken explains more than what is not here.
      if (!trouble || trouble->kind() == ErrorKind::not_found) trouble = error;
    }
  throw *trouble;
}

std::shared_ptr<const TreeNode> Volume::read_node(const NodeAddress& address) {
  std::vector<std::byte> bytes(super_.node_bytes);
  std::shared_ptr<const TreeNode> node;
  read_checked(address.logical, bytes, [&] {
    if (!is_intact(super_.checksum_type, bytes) || base::load<NodeHeader>(bytes).filesystem != metadata_uuid(super_))
      throw Error(ErrorKind::corrupt,
                  fmt::format("the node at address {:#x} of the btrfs on {} is damaged", address.logical, name()))
          .on(name());
    node = std::make_shared<const TreeNode>(bytes, address);
  });
  return node;
}

std::shared_ptr<const TreeNode> Volume::node(const NodeAddress& address) {
  if (auto known = nodes_->find(address)) return known;
  auto node = read_node(address);
  nodes_->add(address.logical, node);
  return node;
}

void Volume::read(std::uint64_t logical, std::span<std::byte> out, const Accept& is_good) {
  while (!out.empty()) {
    const auto length = place(chunk_of(logical), logical).length;
    const auto part = out.first(std::size_t(std::min<std::uint64_t>(length, out.size())));
    read_checked(logical, part, [&] {
      if (!is_good(logical, part))
        throw Error(ErrorKind::corrupt,
                    fmt::format("data at address {:#x} of the btrfs on {} are damaged", logical, name()))
            .on(name());
    });
    out = out.subspan(part.size());
    logical += part.size();
  }
}

}  // namespace hrvm::fs::btrfs
