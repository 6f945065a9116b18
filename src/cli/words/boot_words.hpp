// The words of `hrvm boot`, understood.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "hrvm/cli/command.hpp"
#include "hrvm/launch/boot.hpp"

namespace hrvm::cli {

struct BootWords {
  launch::BootRequest boot;
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
