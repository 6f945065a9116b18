#include <optional>

#include "hrvm/launch/guard.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/sys/socket.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/run/pattern.hpp"
#include "launch/run/screen.hpp"
#include "launch/run/starting.hpp"
#include "launch/run/typist.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{20};

// What the guest does with its disks, asked of QEMU once a second.
class ActivityMeter {
 public:
  explicit ActivityMeter(const LaunchPlan& plan) : plan_(plan) {}

  // nullopt: not yet time, or QEMU does not answer.
  std::optional<Activity> look() {
    if (Clock::now() < next_look_) return std::nullopt;
    next_look_ = Clock::now() + 1s;
    if (!qmp_) qmp_ = Qmp::connect(plan_.control.qmp_socket, 200ms);
    if (!qmp_) return std::nullopt;
    try {
      read_counters();
    } catch (const base::Error&) {
      return std::nullopt;  // it ends, which the console shows
    }
    return seen_;
  }

 private:
  void read_counters() {
    const auto answer = qmp_->execute("query-blockstats", base::Json::object(), 2s);
    seen_ = {.resets = seen_.resets};
    for (const auto& device : answer.items()) {
      const auto stats = device["stats"];
      seen_.read_bytes += stats["rd_bytes"].unsigned_integer().value_or(0);
      seen_.writes += stats["wr_operations"].unsigned_integer().value_or(0);
      seen_.flushes += stats["flush_operations"].unsigned_integer().value_or(0);
    }
    while (const auto event = qmp_->next_event(0ms)) seen_.resets += (*event)["event"].text() == "RESET";
  }

  const LaunchPlan& plan_;
  std::optional<Qmp> qmp_;
  Activity seen_;
  Clock::time_point next_look_ = Clock::now();
};

class Watch {
 public:
  Watch(const sys::Host& host, const LaunchPlan& plan, const WatchRequest& request, sys::Child& qemu,
        sys::Lock machine_lock)
      : host_(host),
        plan_(plan),
        qemu_(qemu),
        screen_(request),
        typist_(request.input_fd),
        judge_(request.judge),
        ends_when_up_(!request.wait_for),
        meter_(plan),
        machine_lock_(std::move(machine_lock)) {
    if (request.timeout) deadline_ = Clock::now() + *request.timeout;
  }

  WatchResult run() {
    auto console = connect();
    while (console && !is_over(*console)) step(*console);
    WatchResult result;
    result.end = screen_.failed()    ? WatchEnd::failed
                 : screen_.matched() ? WatchEnd::matched
                 : is_judged()       ? WatchEnd::judged
                 : is_late()         ? WatchEnd::timed_out
                                     : WatchEnd::ended;
    result.console_tail = screen_.tail();
    result.matched_line = screen_.failed().value_or(screen_.matched().value_or(""));
    return result;
  }

 private:
  bool is_late() const { return deadline_ && Clock::now() >= *deadline_; }
  bool is_judged() const {
    if (!judge_) return false;
    const auto& verdict = judge_->verdict(Clock::now());
    return verdict && (!verdict->up || ends_when_up_);
  }
  bool is_over(const sys::UnixSocket& console) const {
    return screen_.matched() || screen_.failed() || is_judged() || console.ended() || is_late();
  }

  // QEMU waits for this connection before it does anything else. nullopt when the time passes first.
  std::optional<sys::UnixSocket> connect() {
    while (!is_late()) {
      if (auto console = sys::UnixSocket::connect(plan_.consoles.serial_socket, 1s)) return console;
      if (const auto status = qemu_.wait(look_interval)) throw early_end(*status, plan_);
      sys::check_interrupted();
    }
    return std::nullopt;
  }

  void step(sys::UnixSocket& console) {
    sys::check_interrupted();
    if (const auto bytes = console.read_some(look_interval)) {
      screen_.feed(*bytes);
    } else {
      screen_.look_at_prompt();
    }
    if (console.ended()) return;
    if (judge_)
      if (const auto activity = meter_.look()) judge_->activity(*activity, Clock::now());
    // What is typed before would be gone with the serial port's state.
    if (!plan_.memory || has_taken_layer(plan_)) typist_.type(console);
    if (!machine_lock_ || !has_taken_layer(plan_)) return;
    start_guard(host_, plan_);
    machine_lock_.reset();
  }

  const sys::Host& host_;
  const LaunchPlan& plan_;
  sys::Child& qemu_;
  Screen screen_;
  Typist typist_;
  BootJudge* judge_;
  bool ends_when_up_;
  ActivityMeter meter_;
  std::optional<sys::Lock> machine_lock_;
  std::optional<Clock::time_point> deadline_;
};

// Leaves QEMU running where that is asked for, else makes sure that it has ended.
void settle(WatchResult& result, const WatchRequest& request, sys::Child& qemu, const LaunchPlan& plan) {
  result.qemu_errors = words_of_qemu(plan);
  if (result.end == WatchEnd::matched && request.keep_running) {
    result.pid = qemu.pid();
    return;
  }
  // The console closes a moment before QEMU is gone.
  const bool ended_by_itself = result.end == WatchEnd::ended && qemu.wait(5s);
  if (!ended_by_itself) end_qemu(qemu, plan);
  result.exit_status = *qemu.poll();
  result.qemu_errors = words_of_qemu(plan);
  if (ended_by_itself && result.exit_status != 0 && result.console_tail.empty()) {
    throw early_end(result.exit_status, plan);
  }
}

bool is_up(const WatchResult& result, const WatchRequest& request) {
  return result.end == WatchEnd::matched ||
         (result.end == WatchEnd::judged && request.judge->verdict(Clock::now())->up);
}

}  // namespace

void check_pattern(const std::string& expression) { Pattern{expression}; }

WatchResult run_watched(const sys::Host& host, const LaunchPlan& plan, sys::Lock machine_lock, const Keep& keep,
                        const WatchRequest& request) {
  auto qemu = spawn_apart(host, plan, keep, !request.keep_running);
  try {
    auto result = Watch(host, plan, request, qemu, std::move(machine_lock)).run();
    if (request.when_up && is_up(result, request)) request.when_up();
    settle(result, request, qemu, plan);
    return result;
  } catch (...) {
    end_qemu(qemu, plan);
    throw;
  }
}

}  // namespace hrvm::launch
