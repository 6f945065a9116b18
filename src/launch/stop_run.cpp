#include <fmt/core.h>

#include <array>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds answer_limit{2};
constexpr std::chrono::seconds quit_limit{10};
constexpr std::chrono::milliseconds look_interval{50};

bool has_ended(const machine::Path& layer, Clock::time_point deadline) {
  while (block::image_use(layer) == block::ImageUse::write) {
    if (Clock::now() >= deadline) return false;
    sys::check_interrupted();
    std::this_thread::sleep_for(look_interval);
  }
  return true;
}

Qmp control_of(const machine::Path& run_folder) {
  auto qmp = Qmp::connect(run_folder / "qmp.sock", answer_limit);
  if (qmp) return std::move(*qmp);
  throw Error(ErrorKind::busy, "the machine runs, but its QEMU does not answer")
      .on(run_folder / "qmp.sock")
      .hint(
          "if libvirt runs it: virsh shutdown; else another QMP client is connected, or it was started by hand: end "
          "that");
}

bool guest_runs(Qmp& qmp) {
  return qmp.execute("query-status", Json::object(), answer_limit)["status"].text() == "running";
}

void quit(Qmp& qmp) {
  try {
    qmp.execute("quit", Json::object(), answer_limit);
  } catch (const Error&) {
    // It may be gone before it has answered; whether it is, the layer's lock tells.
  }
}

}  // namespace

StopWay stop_run(const machine::Path& layer, const machine::Path& run_folder, std::chrono::seconds patience,
                 bool at_once) {
  auto qmp = control_of(run_folder);
  if (!at_once && guest_runs(qmp)) {
    qmp.execute("system_powerdown", Json::object(), answer_limit);
    if (has_ended(layer, Clock::now() + patience)) return StopWay::powered_down;
  }
  quit(qmp);
  if (has_ended(layer, Clock::now() + quit_limit)) return StopWay::quit;
  throw Error(ErrorKind::busy, "QEMU was told to quit, and still runs").on(layer).hint("end its process by hand");
}

std::optional<std::string> run_detail(const machine::Path& run_folder) {
  try {
    auto qmp = Qmp::connect(run_folder / "qmp.sock", 200ms);
    if (!qmp) return std::nullopt;
    return qmp->execute("query-status", Json::object(), 200ms)["status"].text();
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<pid_t> run_pid(const machine::Path& run_folder) {
  const auto number = base::parse_unsigned(sys::try_read_line(run_folder / "pid").value_or(""));
  return number && *number > 0 && *number <= 0x7fffffff ? std::optional(pid_t(*number)) : std::nullopt;
}

}  // namespace hrvm::launch
