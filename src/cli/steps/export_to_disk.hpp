// `hrvm export MACHINE --to DISK`: the machine written onto another disk.
#pragma once

#include <optional>
#include <string>

#include "cli/words/named_machine.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::cli {

// What is exported: one disk of a machine, in one of its states.
struct ExportSource {
  NamedMachine from;
  machine::Machine machine;
  machine::State state;
  std::size_t disk = 0;  // of the machine's
  probe::Disk base;      // of that disk; without a path where it began empty
};

// Checks, asks, writes what differs, and reads all of it again. With --dry-run checks and tells.
Outcome export_to_disk(const Context& context, const machine::Store& store, const ExportSource& source,
                       const std::string& disk);

}  // namespace hrvm::cli
