// What a boot makes for itself alone, and goes when it ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/lock.hpp"

namespace hrvm::launch {

// A layer over a state's own, in a folder that is locked for as long as this object lives or QEMU holds the same
// descriptor. What is not removed goes with the next command that finds it unlocked.
class ThrowAway {
 public:
  // In the machine's folder, or in one that a person names, as where the store is read-only.
  static machine::Path folder_of(const machine::Machine& machine, const std::string& id,
                                 const std::optional<machine::Path>& scratch = std::nullopt);
  // What was left in the same place by boots that were killed goes. `folder` is as folder_of gives it.
  ThrowAway(const machine::Machine& machine, const machine::State& state, const machine::Path& folder);

  const machine::Path& folder() const { return folder_; }
  const machine::Path& layer() const { return layer_; }
  machine::Path nvram() const { return folder_ / "nvram.fd"; }
  machine::Path tpm_folder() const { return folder_ / "tpm"; }
  int lock_fd() const { return lock_.fd(); }

  void write_nvram(std::string_view variables) const;
  void copy_tpm(const machine::Machine& machine) const;  // what its TPM remembers
  void remove() const;

 private:
  machine::Path folder_, layer_;
  sys::Lock lock_;
};

}  // namespace hrvm::launch
