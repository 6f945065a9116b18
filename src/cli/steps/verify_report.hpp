// The report of a verification, as a file that can be handed on: what was looked at, when, on which host and of which
// disks, and last a SHA-256 of all that stands above it.
#pragma once

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// What was found, as hrvm.verify/1 tells it, and of what.
struct VerifyReport {
  const machine::Machine& machine;
  const std::vector<probe::Disk>& disks;  // where they are now; none: missing
  const base::Json& found;
  base::Time begun{};
};

// As JSON where the name ends in .json, else as text. Its last line but one, or its last, tells the hash of those
// before.
void write_report(const Context& context, const VerifyReport& report, const sys::Path& file);

}  // namespace hrvm::cli
