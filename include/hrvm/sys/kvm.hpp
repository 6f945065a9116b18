// Does /dev/kvm really run a guest? There are hosts whose KVM only emulates: simple instructions pass, a kernel never
// comes up. So it is proved: in a child with a time limit, an SSE2 pair in long mode must reach hlt, and a loop of 2^20
// turns must end within 100 ms.
#pragma once

#include <string>

#include "hrvm/sys/host.hpp"

namespace hrvm::sys {

struct KvmProof {
  bool works = false;
  std::string
      reason;  // "KVM runs guests", "/dev/kvm is not there", "this user may not open /dev/kvm", "KVM only emulates: …"
};

// Asks the kernel; a few milliseconds. A recorded host has no KVM.
KvmProof prove_kvm(const Host& host);

// The same, remembered until the host boots again (by its boot id) in `cache_folder`, which is made if it can be.
KvmProof cached_kvm_proof(const Host& host, const std::filesystem::path& cache_folder);

}  // namespace hrvm::sys
