#include "launch/live/guest_freeze.hpp"

#include <fmt/core.h>

#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using base::Severity;
using namespace std::chrono_literals;

constexpr std::chrono::seconds answer_limit{5};
// One whose port is open answers at once, or is none.
constexpr std::chrono::seconds greeting_limit{2};

// The guest has its end of the port open.
bool has_open_port(Qmp& qmp) {
  const auto devices = qmp.execute("query-chardev", Json::object(), answer_limit);
  for (const auto& device : devices.items())
    if (device["label"].text() == "agent0") return device["frontend-open"].boolean().value_or(false);
  return false;
}

machine::Path mark_in(const machine::Path& run_folder) { return run_folder / "freezing"; }

bool is_frozen(GuestAgent& agent) {
  return agent.execute("guest-fsfreeze-status", agent_limit).text().value_or("") == "frozen";
}

}  // namespace

std::optional<GuestAgent> find_agent(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder) {
  if (!has_open_port(qmp)) return std::nullopt;
  const auto bytes = host.entropy();
  const auto number = std::uint32_t(bytes[14]) << 8 | bytes[15];
  return GuestAgent::connect(run_folder / "agent.sock", number, greeting_limit);
}

void thaw_left_over(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder) {
  const auto mark = mark_in(run_folder);
  if (sys::link_status(mark).type == sys::FileType::missing) return;
  try {
    const auto lock = sys::Lock::try_take(mark, sys::Lock::Mode::exclusive);
    if (!lock) return;  // its hrvm lives, or somebody else is at it
    if (auto agent = find_agent(host, qmp, run_folder)) agent->execute("guest-fsfreeze-thaw", agent_limit);
    sys::remove_all(mark);
  } catch (const Error& error) {
    base::trace("launch", "what may be frozen in the guest stays so: {}", error.message());
  }
}

GuestFreeze::GuestFreeze(Freeze wanted, std::optional<GuestAgent> agent, std::string subject,
                         const machine::Path& run_folder)
    : wanted_(wanted), agent_(std::move(agent)), subject_(std::move(subject)), mark_(mark_in(run_folder)) {
  if (agent_ || wanted_ == Freeze::never) return;
  if (wanted_ == Freeze::require)
    throw Error(ErrorKind::unsupported,
                fmt::format("no agent answers in the guest of {}, to hold its filesystems at rest", subject_))
        .hint("install qemu-guest-agent in the guest, or go without: --freeze auto");
  add("no-guest-agent", Severity::note,
      "no agent answers in the guest: its filesystems are kept as a power cut would leave them",
      "install qemu-guest-agent in the guest");
}

void GuestFreeze::add(std::string id, Severity severity, std::string message, std::string remedy) {
  findings_.push_back({std::move(id), severity, subject_, std::move(message), std::move(remedy)});
}

// One that was left over would be taken for ours, and its end for the end of ours.
bool GuestFreeze::try_freeze() {
  if (is_frozen(*agent_)) agent_->execute("guest-fsfreeze-thaw", agent_limit);
  mark();
  is_asked_ = true;
  return agent_->execute("guest-fsfreeze-freeze", agent_limit).unsigned_integer().value_or(0) > 0;
}

// The guard looks for it: a guest whose hrvm was killed does not stand still for long.
void GuestFreeze::mark() {
  sys::make_directories(mark_, 0700, sys::Durability::later);
  lock_ = sys::Lock::try_take(mark_, sys::Lock::Mode::exclusive, agent_limit);
  if (!lock_) throw Error(ErrorKind::busy, "another hrvm holds the guest's filesystems").on(mark_);
}

void GuestFreeze::freeze() {
  if (wanted_ == Freeze::never || !agent_) return;
  std::string reason = "it holds none of them";
  try {
    is_frozen_ = try_freeze();
  } catch (const Error& error) {
    reason = error.message();
  }
  if (is_frozen_) return;
  thaw();
  if (wanted_ == Freeze::require)
    throw Error(ErrorKind::external, fmt::format("the filesystems of {} cannot be held at rest: {}", subject_, reason))
        .hint("go without: --freeze auto, or --freeze never");
  add("freeze-failed", Severity::warning,
      fmt::format("the guest's filesystems are kept as a power cut would leave them: {}", reason), "");
}

void GuestFreeze::thaw() {
  if (!std::exchange(is_asked_, false)) return;
  try {
    was_held_ = is_frozen_ && is_frozen(*agent_);
  } catch (const Error&) {
    // It is told to thaw whatever it says.
  }
  if (is_frozen_ && !was_held_)
    add("freeze-ended", Severity::warning,
        "the guest let its filesystems go on by itself: they are kept as a power cut would leave them", "");
  try {
    agent_->execute("guest-fsfreeze-thaw", agent_limit);
    sys::remove_all(mark_);
  } catch (const Error& error) {
    add("thaw-failed", Severity::warning,
        fmt::format("the guest was told to let its filesystems go on, and did not say that they do: {}",
                    error.message()),
        "where the guest stands still: hrvm restart " + subject_);
  }
  agent_.reset();
  lock_.reset();  // a mark that is still there the guard heeds
}

machine::Consistency GuestFreeze::consistency() const {
  return was_held_ ? machine::Consistency::frozen : machine::Consistency::crash;
}

}  // namespace hrvm::launch
