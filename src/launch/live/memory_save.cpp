#include "launch/live/memory_save.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <thread>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds answer_limit{30};
// Neither a byte nor another status for so long: it will not come to its end.
constexpr std::chrono::seconds stall_limit{60};
constexpr std::chrono::milliseconds look_interval{50}, wait_interval{5}, sent_interval{1};
constexpr std::chrono::seconds go_on_limit{20}, keeper_limit{60};
constexpr std::size_t most_at_once = 256 * base::KiB;
constexpr std::uint64_t room_check_interval = 64 * base::MiB;
// QEMU's usual 128 MiB a second are for a network.
constexpr std::uint64_t no_bound_of_bandwidth = std::uint64_t(1) << 40;
constexpr unsigned usual_still_ms = 300, longest_still_ms = 2'000'000;
constexpr auto stream_name = "memory";

Json ask(Qmp& qmp, const std::string& command, Json arguments = Json::object()) {
  return qmp.execute(command, std::move(arguments), answer_limit);
}

machine::Path mark_in(const machine::Path& run_folder) { return run_folder / "saving"; }

std::string migration_status(Qmp& qmp) { return ask(qmp, "query-migrate")["status"].text().value_or("none"); }

bool is_under_way(std::string_view status) {
  constexpr std::array<std::string_view, 6> words{"setup",  "active",     "pre-switchover",
                                                  "device", "cancelling", "wait-unplug"};
  return std::ranges::find(words, status) != words.end();
}

void set_pause(Qmp& qmp, bool pauses) {
  auto capability = Json::object().set("capability", "pause-before-switchover").set("state", pauses);
  ask(qmp, "migrate-set-capabilities", Json::object().set("capabilities", Json::Array{std::move(capability)}));
}

void set_parameters(Qmp& qmp, unsigned still_ms) {
  ask(qmp, "migrate-set-parameters",
      Json::object().set("max-bandwidth", no_bound_of_bandwidth).set("downtime-limit", still_ms));
}

// It stands still for what was sent. A guest that somebody else has paused stays so.
bool waits_for_us(Qmp& qmp) {
  const auto status = ask(qmp, "query-status")["status"].text().value_or("");
  return status == "postmigrate" || status == "finish-migrate";
}

// QEMU takes its locks again for it: who reads a layer at this very moment makes it fail.
void have_go_on(Qmp& qmp) {
  const auto deadline = Clock::now() + go_on_limit;
  while (waits_for_us(qmp)) {
    try {
      ask(qmp, "cont");
      return;
    } catch (const Error&) {
      if (Clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(look_interval);
  }
}

// However far it came.
void end_save(Qmp& qmp) {
  const auto deadline = Clock::now() + go_on_limit;
  if (is_under_way(migration_status(qmp))) ask(qmp, "migrate_cancel");
  while (is_under_way(migration_status(qmp)) && Clock::now() < deadline) std::this_thread::sleep_for(wait_interval);
  have_go_on(qmp);
  set_pause(qmp, false);
}

}  // namespace

void end_left_over_save(Qmp& qmp, const machine::Path& run_folder) {
  const auto mark = mark_in(run_folder);
  if (sys::link_status(mark).type == sys::FileType::missing) return;
  try {
    const auto lock = sys::Lock::try_take(mark, sys::Lock::Mode::exclusive);
    if (!lock) return;  // its hrvm lives, or somebody else is at it
    end_save(qmp);
    sys::remove_all(mark);
  } catch (const Error& error) {
    base::trace("launch", "a guest that stands still is not let go on: {}", error.message());
  }
}

void check_can_be_saved(Qmp& qmp, const std::string& name) {
  const auto state = ask(qmp, "query-status");
  if (!state["running"].boolean().value_or(false))
    throw Error(ErrorKind::busy, fmt::format("machine {} is paused, and its memory is saved only while it runs", name))
        .hint(fmt::format("let it go on: hrvm resume {}", name));
  const auto blockers = ask(qmp, "query-migrate")["blocked-reasons"];
  std::vector<std::string> reasons;
  for (const auto& reason : blockers.items()) reasons.push_back(base::printable(reason.text().value_or("")));
  if (reasons.empty()) return;
  throw Error(ErrorKind::unsupported,
              fmt::format("the memory of {} cannot be saved, says QEMU: {}", name, base::join(reasons, "; ")))
      .hint("leave out --with-memory, or boot it without that");
}

LockKeeper::LockKeeper(const machine::Path& layers, int machine_lock, pid_t qemu)
    : ours_(sys::make_lifeline()), keepers_(sys::make_lifeline()) {
  const auto process = sys::Process::child(qemu);
  const auto keep = [&] {
    sys::wait_for_end(ours_.watched);
    const auto deadline = Clock::now() + keeper_limit;
    while (!machine::written_layer(layers) && !process.wait(look_interval) && Clock::now() < deadline) {
    }
  };
  sys::run_in_background(keep, {machine_lock, ours_.watched.get(), keepers_.held.get(), process.fd()});
  keepers_.held.reset();
}

LockKeeper::~LockKeeper() {
  ours_.held.reset();
  sys::wait_for_end(keepers_.watched);
}

MemoryFile::MemoryFile(const sys::Host& host, sys::UnixSocket from, Into into)
    : host_(host), from_(std::move(from)), into_(std::move(into)) {
  sys::make_directories(into_.path.parent_path());
  fd_ = sys::create_file(into_.path);
  thread_ = std::thread([this] { run(); });
}

MemoryFile::~MemoryFile() {
  is_given_up_ = true;
  thread_.join();
  if (is_kept_) return;
  try {
    sys::remove_all(into_.path);
  } catch (const Error&) {
    // The next change collects it.
  }
}

// What fails is told by check(); QEMU is read from all the same, so that it can be told to give up.
void MemoryFile::run() {
  try {
    read();
  } catch (const Error& error) {
    failure_ = error;
    has_failed_ = true;
  }
  while (!is_given_up_ && !from_.ended()) from_.read_some(look_interval, most_at_once);
  has_ended_ = true;
}

void MemoryFile::read() {
  while (!is_given_up_) {
    const auto bytes = from_.read_some(look_interval, most_at_once);
    if (from_.ended()) return;
    if (bytes) write(*bytes);
  }
}

void MemoryFile::write(const std::string& bytes) {
  sys::write_fully(fd_.get(), std::as_bytes(std::span(bytes)), bytes_, into_.path);
  digest_.add(std::as_bytes(std::span(bytes)));
  bytes_ += bytes.size();
  check_room();
}

void MemoryFile::check_room() {
  if (into_.may_fill_store || bytes_ - checked_bytes_ < room_check_interval) return;
  checked_bytes_ = bytes_;
  const auto space = host_.space(into_.path.parent_path());
  if (space.available_bytes < machine::room_to_keep(space))
    throw Error(ErrorKind::refused, fmt::format("the store has {} left, with {} of the guest's memory saved so far",
                                                base::format_bytes(space.available_bytes), base::format_bytes(bytes_)))
        .on(into_.path)
        .hint("make room, or leave out --with-memory");
}

void MemoryFile::check() const {
  if (has_failed_) throw Error(*failure_);
}

void MemoryFile::sync() const { sys::sync_file(fd_.get(), into_.path); }

MemorySave::MemorySave(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder, std::uint64_t memory_bytes,
                       const MemoryFile::Into& into)
    : qmp_(qmp), run_folder_(run_folder), memory_bytes_(memory_bytes) {
  auto [ours, theirs] = sys::make_socket_pair();
  theirs_ = std::move(theirs);
  file_.emplace(host, std::move(ours), into);
}

MemorySave::~MemorySave() {
  try {
    go_on();
  } catch (const Error& error) {
    base::trace("launch", "the guest stands still: {}", error.message());
  }
}

// The guard looks for the mark.
void MemorySave::begin() {
  const auto mark = mark_in(run_folder_);
  sys::make_directories(mark, 0700, sys::Durability::later);
  mark_ = sys::Lock::try_take(mark, sys::Lock::Mode::exclusive, answer_limit);
  if (!mark_) throw Error(ErrorKind::busy, "another hrvm saves the guest's memory").on(mark);
  is_begun_ = true;
  set_pause(qmp_, true);
  set_parameters(qmp_, usual_still_ms);
  qmp_.hand_over(stream_name, theirs_.get(), answer_limit);
  theirs_.reset();
  ask(qmp_, "migrate", Json::object().set("uri", std::string("fd:") + stream_name));
  status_ = "setup";
  moved_ = ran_until_ = Clock::now();
}

void MemorySave::check_moves() {
  file_->check();
  const auto bytes = file_->bytes();
  if (std::exchange(seen_bytes_, bytes) != bytes) moved_ = Clock::now();
  if (Clock::now() - moved_ > stall_limit)
    throw Error(ErrorKind::io,
                fmt::format("QEMU sends no more of the guest's memory: it says \"{}\"", base::printable(status_)));
}

void MemorySave::look(const sys::ProgressCallback& progress) {
  check_moves();
  const auto state = ask(qmp_, "query-migrate");
  const auto status = state["status"].text().value_or("none");
  if (std::exchange(status_, status) != status) moved_ = Clock::now();
  const auto total = state.at_path("ram.total").unsigned_integer();
  const auto left = state.at_path("ram.remaining").unsigned_integer();
  if (total && left && *left <= *total) progress(*total - *left);
  if (is_under_way(status_) || status_ == "completed") return;
  const auto reason = state["error-desc"].text().value_or(fmt::format("it says \"{}\"", status_));
  throw Error(ErrorKind::external, fmt::format("QEMU could not save the guest's memory: {}", base::printable(reason)));
}

// A guest that writes to its memory faster than that is sent would keep it from ever ending.
void MemorySave::copy(const sys::ProgressCallback& progress) {
  begin();
  while (status_ != "pre-switchover") {
    sys::check_interrupted();
    const auto asked = Clock::now();
    look(progress);
    if (status_ == "setup" || status_ == "active") ran_until_ = asked;
    if (!is_hurried_ && file_->bytes() > memory_bytes_) {
      is_hurried_ = true;
      set_parameters(qmp_, longest_still_ms);
    }
    std::this_thread::sleep_for(wait_interval);
  }
}

// From here to its end no signal is heeded: the guest stands still. While QEMU sends it answers nobody.
void MemorySave::finish() {
  const auto no_progress = [](std::uint64_t) {};
  ask(qmp_, "migrate-continue", Json::object().set("state", "pre-switchover"));
  while (status_ != "completed") {
    const bool is_sent = file_->bytes() == seen_bytes_ || file_->has_ended();
    is_sent ? look(no_progress) : check_moves();
    if (status_ != "completed") std::this_thread::sleep_for(sent_interval);
  }
  go_on();
}

void MemorySave::go_on() {
  if (!std::exchange(is_begun_, false)) return;
  end_save(qmp_);
  sys::remove_all(mark_in(run_folder_));
  mark_.reset();
}

// QEMU closes its end when all is sent.
MemorySave::Saved MemorySave::await_file() {
  moved_ = Clock::now();
  while (!file_->has_ended()) {
    check_moves();
    std::this_thread::sleep_for(wait_interval);
  }
  file_->check();
  file_->sync();
  return {file_->bytes(), file_->sha256()};
}

}  // namespace hrvm::launch
