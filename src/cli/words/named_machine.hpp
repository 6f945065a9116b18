// What commands do with the machine that their first word names, before they do their own work.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// The store of this invocation, with throw-away layers removed that a boot left behind and nobody uses.
machine::Store open_store(const Context& context);

// "web" or "web@fresh".
struct NamedMachine {
  std::string machine;
  std::optional<std::string> snapshot;
};
// Error{usage} when there is nothing before or after the "@".
NamedMachine named_machine(std::string_view word);
// The same where a snapshot must be named: Error{usage} otherwise.
NamedMachine named_snapshot(std::string_view word);

// What boots, is shown or exported by that name: the active state, or the snapshot's.
machine::State state_named(const machine::Machine& machine, const std::optional<std::string>& snapshot);

// Error{busy} when it runs, also in libvirt: "machine web is running, and a running machine is not <verb>".
void check_stopped(const sys::Host& host, const machine::Machine& machine, std::string_view verb);

// Error{busy} when anybody uses a layer in the machine's folder: it runs, a snapshot of it is booted in a throw-away
// layer, or qemu-img reads one. Asks the files alone, so that a damaged definition does not matter.
void check_unused(const machine::Path& folder, std::string_view name);

}  // namespace hrvm::cli
