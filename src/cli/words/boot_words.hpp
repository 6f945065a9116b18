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

// --accel; nullopt for "auto", whose choices were checked before.
std::optional<launch::Accelerator> accelerator_word(const Arguments& arguments);
// --timeout. Error{usage} for one that is too long.
std::optional<std::chrono::seconds> boot_timeout(const Arguments& arguments);

// Error{usage} for values that cannot be, and options that cannot stand together.
BootWords boot_words(const Context& context);

}  // namespace hrvm::cli
