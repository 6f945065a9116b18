#include "hrvm/launch/settled.hpp"

#include <fmt/core.h>

#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/pending_snapshot.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/live/guest_freeze.hpp"
#include "launch/live/live_layers.hpp"
#include "launch/live/memory_save.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;
using machine::Recovery;
using namespace std::chrono_literals;

constexpr std::chrono::seconds answer_limit{5}, patience{5};
constexpr std::chrono::milliseconds look_interval{50};

Error undecided(const Machine& machine, const machine::Path& layer) {
  return Error(ErrorKind::busy, fmt::format("the snapshot {}@{} was cut off while {} ran, and its QEMU does not say "
                                            "whether it has taken it",
                                            machine.name, machine.definition.pending->name, machine.name))
      .on(layer)
      .hint("try again when it answers; once it has ended, its layers tell");
}

// Of the machine's QEMU, where it runs. What was ordered before we came is done once it answers us.
std::optional<Qmp> await_orders(const Machine& machine, const machine::Path& run_folder) {
  const auto written = machine::written_layer(machine);
  if (!written) return std::nullopt;
  if (auto other = machine::held_by_tool(machine.name, *written)) throw *std::move(other);
  auto qmp = Qmp::connect(run_folder / "qmp.sock", answer_limit);
  if (!qmp) throw undecided(machine, *written);
  qmp->execute("query-status", base::Json::object(), answer_limit);
  return qmp;
}

Recovery recovery_of(const Machine& machine) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    if (const auto recovery = machine::recovery_of(machine::look_at_pending(machine))) return *recovery;
    if (std::chrono::steady_clock::now() >= deadline) throw undecided(machine, machine.active_layer());
    sys::check_interrupted();
    std::this_thread::sleep_for(look_interval);
  }
}

Machine settle(const sys::Host& host, const machine::Store& store, const Machine& machine) {
  const auto run_folder = machine::run_folder(host, machine.definition);
  const auto& pending = machine.definition.pending->layer;
  auto qmp = await_orders(machine, run_folder);
  if (qmp) end_left_over_save(*qmp, run_folder);
  if (qmp) thaw_left_over(host, *qmp, run_folder);
  const bool is_taken = recovery_of(machine) == Recovery::forward;
  base::trace("launch", "brings the snapshot {} to an end: {}", machine.definition.pending->name,
              is_taken ? "forward" : "back");
  if (qmp && !is_taken) forget_layers(*qmp, machine, pending);
  const auto change = is_taken ? plan_pending_kept(machine, machine::Consistency::crash, draw(host, store))
                               : plan_pending_dropped(machine);
  auto settled = apply(store, machine, change, [](std::uint64_t) {});
  if (qmp && is_taken) close_to_writes(*qmp, settled, machine.definition.active.layer);
  return settled;
}

}  // namespace

Machine load_settled(const sys::Host& host, const machine::Store& store, const std::string& name) {
  auto machine = store.load(name);
  if (!machine.definition.pending) return machine;
  store.check_presence(machine);
  return settle(host, store, machine);
}

}  // namespace hrvm::launch
