// Does what the transactions of an XFS log say.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "fs/xfs/log_transactions.hpp"
#include "fs/xfs/patched_device.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

// In two rounds over all transactions: first it is noted which buffers were given up, since nothing that was logged of
// them before may be done to what lies there now.
class LogReplay {
 public:
  // Both must outlive it. `volume` gives the geometry only.
  LogReplay(const Volume& volume, PatchedDevice& device) : volume_(volume), device_(device) {}

  void note(const Transaction& transaction);
  // Error{unsupported} for an item that is not known, {corrupt} for one that cannot be.
  void replay(const Transaction& transaction);
  // Whether a change to files was promised and is not done.
  bool is_unfinished() const { return !promised_.empty(); }

 private:
  struct Buffer {
    std::uint64_t sector = 0, sectors = 0;
    friend auto operator<=>(const Buffer&, const Buffer&) = default;
  };
  // Of a transaction buffers come first, what lies in them next, and what is given up last.
  enum class Turn { buffers, rest, given_up, never };
  Turn turn_of(const Item& item) const;

  void replay(const Item& item, std::uint64_t place);
  void replay_buffer(const Item& item, std::uint64_t place);
  void replay_inode_item(const Item& item, std::uint64_t place);
  void create_inodes(const Item& item);
  void give_up(const Item& item);
  void promise(const Item& item);
  void fulfil(const Item& item);
  bool is_newer(const Buffer& buffer, std::uint64_t place);
  bool is_any_given_up(std::uint64_t sector, std::uint64_t sectors) const;

  const Volume& volume_;
  PatchedDevice& device_;
  std::map<Buffer, unsigned> given_up_;  // how often that is still to come
  std::set<std::pair<std::uint16_t, std::uint64_t>> promised_;
};

}  // namespace hrvm::fs::xfs
