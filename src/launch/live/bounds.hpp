// How far the layers that QEMU writes to may grow in the room that there is: what the guard holds it to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// Where the layers lie. What lies on a tmpfs lies in memory, and there may be less of that.
class LayerRoom {
 public:
  LayerRoom(const sys::Host& host, machine::Path folder);
  sys::Space space() const;

 private:
  const sys::Host& host_;
  machine::Path folder_;
  bool in_memory_ = false;
};

// What may be written before too little is left.
std::uint64_t room_in(const sys::Space& space);

// Of each layer, as an offset in its file; none below `least`. The layers of several disks share the room: which of
// them will grow, nobody knows.
std::vector<std::uint64_t> bounds_of(const std::vector<sys::FileStatus>& layers, std::uint64_t room,
                                     std::uint64_t least);

// QEMU tells when a write goes beyond the bound of a layer, whose node it is given.
void announce_writes_beyond(Qmp& qmp, const std::string& node, std::uint64_t bound);

}  // namespace hrvm::launch
