// Hardware advice: what a machine should be made of, from what is on its disk and what the host can give.
#pragma once

#include <string_view>

#include "hrvm/base/finding.hpp"
#include "hrvm/machine/definition.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::machine {

struct HostResources {
  std::uint64_t memory_bytes = 0;  // available
  unsigned cpus = 1;
};
HostResources host_resources(const sys::Host& host);

struct Advice {
  Hardware hardware;                    // with `because`, without a MAC
  std::vector<base::Finding> findings;  // what may stop it from booting
};

// Firmware: a 4096-byte logical sector needs UEFI; a 4096-byte physical one prefers it where a loader is in the ESP;
// else BIOS where the disk can. A loader that only a boot entry leads to is as good as another: a machine's variables
// get one.
Advice advise(const probe::Survey& survey, const HostResources& host);

// The network card that a machine gets: the one of which its system is known to have the driver. Where that is not
// known, virtio, or e1000e where it starts from SATA: that is what one without virtio drivers gets, and it is
// likely to have none for the network either.
Nic nic_of(const Hardware& hardware);

}  // namespace hrvm::machine
