// The words of `hrvm boot`, understood.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/words/named_machine.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::cli {

// What --iso names for a boot without the disc that the machine has.
inline constexpr std::string_view no_disc = "none";

struct BootWords {
  NamedMachine named;
  launch::LaunchRequest request;
  std::vector<std::string> extra_disks;
  std::optional<machine::Disc> iso;  // null: what the machine has
  bool ephemeral = false;            // in a throw-away layer: asked for, or a snapshot
  bool force = false;
  bool print = false, xml = false;
  bool share = false;  // of a folder: what QEMU has it from, alone
  bool try_hard = false;
  std::optional<std::string> libvirt;  // its URI
  std::optional<std::string> wait_for;
  std::optional<std::chrono::seconds> timeout;

  bool watched() const { return wait_for || timeout; }
};

// Error{usage} for values that cannot be, and options that cannot stand together.
BootWords boot_words(const Context& context);

}  // namespace hrvm::cli
