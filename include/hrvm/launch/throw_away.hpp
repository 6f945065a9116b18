// What a boot makes of its own: UEFI variables, and the layer that goes when the boot ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/launch/boot_options.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/lock.hpp"

namespace hrvm::launch {

// What a machine's first variables are made of.
struct NewVariables {
  UefiFirmware firmware;           // its template
  std::vector<BootEntry> entries;  // put before what the template boots
};
// Their bytes. Error{unsupported} or Error{corrupt} for a template that entries cannot be written to.
std::string make_variables(const sys::Host& host, const NewVariables& made_of);

// Writes them as `id`, and commits a generation that names them. The caller holds the machine's lock.
machine::Machine give_nvram(const machine::Store& store, const machine::Machine& machine, const std::string& id,
                            std::string_view variables);

// A layer over a state's own, in a folder that is locked for as long as this object lives or QEMU holds the same
// descriptor. What is not removed goes with the next command that finds it unlocked.
class ThrowAway {
 public:
  ThrowAway(const machine::Machine& machine, const machine::State& state, const std::string& id);

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
