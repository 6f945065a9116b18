// Whether anything that a machine has can start what is on a disk: a finding where its processor is another one, and
// where neither BIOS nor UEFI finds a boot loader.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "hrvm/probe/survey.hpp"
#include "probe/efi_loaders.hpp"

namespace hrvm::probe {

struct StartEvidence {
  std::string disk;  // what the findings are about
  std::span<const OtherLoader> other_loaders;
  std::string_view kernel_architecture;  // of kernels beside the root, where the system itself does not say it
};

// "other-architecture": the system's own programs and kernels go before the loaders, those before the partition types;
// what starts in a machine all the same is not told of. "no-loader": of a disk with a system, or with loaders of
// another kind. Of data nothing is said.
void add_start_findings(Contents& contents, const StartEvidence& evidence);
// The first of them alone, for a folder, which needs no loader; false where it is not told.
bool add_other_architecture(Contents& contents, const StartEvidence& evidence);

}  // namespace hrvm::probe
