#include "cli/words/named_machine.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::cli {

using base::Error;
using base::ErrorKind;

machine::Store open_store(const Context& context) {
  machine::Store store(context.host, context.store);
  try {
    store.collect_throw_away();
  } catch (const Error& error) {
    // A store that cannot be written, or not even be read: the command itself says so where it matters.
    if (context.verbose) context.warn(error.message());
  }
  return store;
}

NamedMachine named_machine(std::string_view word) {
  const auto at = word.find('@');
  if (at == word.npos) return {std::string(word), std::nullopt};
  NamedMachine named{std::string(word.substr(0, at)), std::string(word.substr(at + 1))};
  if (!named.machine.empty() && !named.snapshot->empty()) return named;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" names no snapshot", base::printable(word)))
      .hint("a snapshot is named MACHINE@SNAP");
}

NamedMachine named_snapshot(std::string_view word) {
  auto named = named_machine(word);
  if (named.snapshot) return named;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" names a machine, not a snapshot", base::printable(word)))
      .hint(fmt::format("a snapshot is named MACHINE@SNAP; hrvm snapshot list {} shows those there are",
                        base::shell_quote(word)));
}

machine::State state_named(const machine::Machine& machine, const std::optional<std::string>& snapshot) {
  if (!snapshot) return machine.definition.active;
  const auto& found = machine::snapshot_of(machine, *snapshot);
  return {found.layer, found.nvram, found.hardware, found.parent};
}

static Error running(std::string_view name, std::string_view verb) {
  return Error(ErrorKind::busy, fmt::format("machine {} is running, and a running machine is not {}", name, verb))
      .hint(fmt::format("stop it first: hrvm stop {}", name));
}

void check_stopped(const sys::Host& host, const machine::Machine& machine, std::string_view verb) {
  const bool runs_here = machine::run_state(machine) == machine::RunState::running;
  if (runs_here || launch::active_domain(host, machine)) throw running(machine.name, verb);
}

void check_unused(const machine::Path& folder, std::string_view name) {
  for (const auto& file : sys::list_directory(folder / "layers")) {
    const auto use = block::image_use(folder / "layers" / file);
    if (use == block::ImageUse::write) throw running(name, "removed or renamed");
    if (use == block::ImageUse::read) {
      throw Error(ErrorKind::busy, fmt::format("somebody reads a layer of machine {}: {}", name, file))
          .on(folder / "layers" / file)
          .hint("end what uses it, a boot of a snapshot or qemu-img, and try again");
    }
  }
}

}  // namespace hrvm::cli
