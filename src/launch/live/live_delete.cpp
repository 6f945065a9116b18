#include "hrvm/launch/live_delete.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/merge_beside.hpp"
#include "hrvm/machine/objection.hpp"
#include "launch/live/bounds.hpp"
#include "launch/live/control_socket.hpp"
#include "launch/live/live_layers.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;

bool is_read_by_guest(const Machine& machine, const machine::Change& change) {
  if (!change.merge || machine::run_state(machine) == machine::RunState::stopped) return false;
  const auto chain = machine.definition.chain(machine.definition.active);
  return std::ranges::find(chain, change.merge->parent) != chain.end();
}

void check_room(const sys::Host& host, const Machine& machine, const machine::LayerMerge& merge) {
  const auto needed = bytes_of_merge_beside(machine, merge);
  const auto room = room_in(LayerRoom(host, machine.folder / "layers").space());
  if (needed <= room) return;
  throw Error(ErrorKind::refused,
              fmt::format("while {} runs the merge of two layers takes up to {} for a time, and {} are left to write",
                          machine.name, base::format_bytes(needed), base::format_bytes(room)))
      .on(machine.folder)
      .hint(fmt::format("make room in the store, or stop the machine first: hrvm stop {}", machine.name));
}

}  // namespace

bool runs_in_own_qemu(const sys::Host& host, const Machine& machine) {
  const auto written = machine::written_layer(machine);
  if (active_domain(host, machine) || (written && machine.definition.is_on_folder()))
    check_stopped(host, machine, "changed");
  if (!written) return false;
  if (auto other = machine::held_by_tool(machine.name, *written)) throw *std::move(other);
  return true;
}

Machine apply_live(const sys::Host& host, const machine::Store& store, const Machine& machine,
                   const machine::Change& change, const sys::ProgressCallback& progress,
                   const std::function<void(std::string_view)>& note) {
  if (!is_read_by_guest(machine, change)) return apply(store, machine, change, progress);
  const auto run_folder = machine::run_folder(host, machine.definition);
  control_of(run_folder);  // for who is there at all; nobody else is kept waiting while layers are merged
  check_room(host, machine, *change.merge);
  merge_beside(machine, *change.merge, store.new_id(), progress);
  try {
    auto qmp = control_of(run_folder);
    read_merged(qmp, machine, *change.merge, store.new_id());
  } catch (const Error& error) {
    note(fmt::format("what is merged takes its space until {} ends: {}", machine.name, error.message()));
  }
  return apply(store, machine, change, progress);
}

}  // namespace hrvm::launch
