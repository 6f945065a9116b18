// The TPM of a run: swtpm, a process beside QEMU that ends with it, whatever QEMU ends by.
#pragma once

#include <string>
#include <vector>

#include "hrvm/launch/keep.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::launch {

// Listens on the plan's socket for one QEMU, and ends when that is gone.
std::vector<std::string> swtpm_command(const Tpm& tpm);

// Where swtpm cannot take the name of the state's folder, a link to it in the run folder, which is there.
void link_tpm_folder(const Tpm& tpm);

// Starts it, and returns when QEMU can connect. It ends soon after the last process that has the returned descriptor
// open: QEMU is to inherit it, so that none is left behind when QEMU dies before it connects. `keep` stays open in it
// as well. Error{busy} when another run has the state, Error{external} with what swtpm said when it does not start.
sys::Fd start_tpm(const sys::Host& host, const Tpm& tpm, const Keep& keep);

// Waits for the swtpm that has this state to be gone; gives up after a while.
void await_tpm_end(const machine::Path& state_folder);

// What the TPM of `from` remembers, into `to`. It does not run.
void copy_tpm_state(const machine::Path& from, const machine::Path& to);

}  // namespace hrvm::launch
