// What a boot makes of its own: UEFI variables, and the layer that goes when the boot ends.
#pragma once

#include <string>

#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/lock.hpp"

namespace hrvm::launch {

// Writes the machine's first variables, as `id`, from the firmware's template, and commits a generation that names
// them. The caller holds the machine's lock.
machine::Machine give_nvram(const sys::Host& host, const machine::Store& store, const machine::Machine& machine,
                            const std::string& id, const UefiFirmware& firmware);

// A layer over a state's own, in a folder that is locked for as long as this object lives or QEMU holds the same
// descriptor. What is not removed goes with the next command that finds it unlocked.
class ThrowAway {
 public:
  ThrowAway(const machine::Machine& machine, const machine::State& state, const std::string& id);

  const machine::Path& folder() const { return folder_; }
  machine::Path layer() const { return folder_ / "layer.qcow2"; }
  machine::Path nvram() const { return folder_ / "nvram.fd"; }
  int lock_fd() const { return lock_.fd(); }

  // From the state's variables, or the template where it has none.
  void fill_nvram(const sys::Host& host, const std::optional<machine::Path>& original,
                  const UefiFirmware& firmware) const;
  void remove() const;

 private:
  machine::Path folder_;
  sys::Lock lock_;
};

}  // namespace hrvm::launch
