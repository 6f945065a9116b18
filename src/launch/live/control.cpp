#include "hrvm/launch/control.hpp"

#include <fmt/core.h>

#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/sys/file_size_limit.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/live/control_socket.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds answer_limit{2};
constexpr std::chrono::seconds quit_limit{10};
constexpr std::chrono::seconds screenshot_limit{10};
constexpr std::chrono::milliseconds look_interval{50};
constexpr std::chrono::milliseconds second_stop_limit{500};
constexpr std::size_t largest_picture = 64 << 20;

// A snapshot that is made meanwhile has QEMU go on in a layer beside this one.
bool has_ended(const machine::Path& layer, Clock::time_point deadline) {
  while (machine::written_layer(layer.parent_path())) {
    if (Clock::now() >= deadline) return false;
    sys::check_interrupted();
    std::this_thread::sleep_for(look_interval);
  }
  return true;
}

Json ask(Qmp& qmp, const std::string& command, Json arguments = Json::object()) {
  return qmp.execute(command, std::move(arguments), answer_limit);
}

bool guest_runs(Qmp& qmp) { return ask(qmp, "query-status")["running"].boolean().value_or(false); }

bool wait_for_event(Qmp& qmp, std::string_view name, Clock::time_point deadline) {
  while (Clock::now() < deadline) {
    sys::check_interrupted();
    const auto event = qmp.next_event(look_interval);
    if (event && (*event)["event"].text() == name) return true;
  }
  return false;
}

// While this object lives, a guest that powers down does not end QEMU.
class KeptAtPowerDown {
 public:
  explicit KeptAtPowerDown(Qmp& qmp) : qmp_(qmp) { ask(qmp_, "set-action", Json::object().set("shutdown", "pause")); }
  KeptAtPowerDown(const KeptAtPowerDown&) = delete;
  KeptAtPowerDown& operator=(const KeptAtPowerDown&) = delete;
  ~KeptAtPowerDown() {
    try {
      ask(qmp_, "set-action", Json::object().set("shutdown", "poweroff"));
    } catch (const Error&) {
      // QEMU is gone, and the setting with it.
    }
  }

 private:
  Qmp& qmp_;
};

bool power_down_in_place(Qmp& qmp, std::chrono::seconds patience) {
  const KeptAtPowerDown kept(qmp);
  ask(qmp, "system_powerdown");
  return wait_for_event(qmp, "SHUTDOWN", Clock::now() + patience);
}

// Where the serial line leads, as QEMU names it: "unix:/run/…/console.sock,server=on <-> …", "stdio", "mux".
std::string serial_target(Qmp& qmp) {
  const auto devices = ask(qmp, "query-chardev");
  for (const auto& device : devices.items())
    if (device["label"].text() == "serial0") return device["filename"].text().value_or("");
  return {};
}

void quit(Qmp& qmp) {
  try {
    ask(qmp, "quit");
  } catch (const Error&) {
    // It may be gone before it has answered; whether it is, the layer's lock shows.
  }
}

}  // namespace

Qmp control_of(const machine::Path& run_folder) {
  auto qmp = Qmp::connect(run_folder / "qmp.sock", answer_limit);
  if (qmp) return std::move(*qmp);
  throw Error(ErrorKind::busy, "the machine runs, but its QEMU does not answer")
      .on(run_folder / "qmp.sock")
      .hint(
          "if libvirt runs it: virsh shutdown; else another QMP client is connected, or it was started by hand: end "
          "that");
}

StopWay stop_run(const machine::Path& layer, const machine::Path& run_folder, std::chrono::seconds patience,
                 bool at_once) {
  auto qmp = control_of(run_folder);
  if (!at_once && guest_runs(qmp)) {
    ask(qmp, "system_powerdown");
    if (has_ended(layer, Clock::now() + patience)) return StopWay::powered_down;
  }
  quit(qmp);
  if (has_ended(layer, Clock::now() + quit_limit)) return StopWay::quit;
  throw Error(ErrorKind::busy, "QEMU was told to quit, and still runs").on(layer).hint("end its process by hand");
}

bool pause_run(const machine::Path& run_folder) {
  auto qmp = control_of(run_folder);
  if (!guest_runs(qmp)) return false;
  ask(qmp, "stop");
  return true;
}

bool resume_run(const machine::Path& run_folder) {
  auto qmp = control_of(run_folder);
  if (guest_runs(qmp)) return false;
  // The guard's, which may be as old as the pause; the guard sets it again.
  if (const auto qemu = qmp.process()) sys::limit_file_size(*qemu, std::nullopt);
  ask(qmp, "cont");
  // QEMU says yes, then tries again what had failed, and stops where that fails again.
  if (!wait_for_event(qmp, "STOP", Clock::now() + second_stop_limit)) return true;
  const auto status = ask(qmp, "query-status")["status"].text().value_or("no reason given");
  throw Error(ErrorKind::external, fmt::format("the machine stopped again at once ({})", status))
      .hint("its writes still find no room, or its disk fails: make room in the store, or look at hrvm show");
}

RestartWay restart_run(const machine::Path& run_folder, std::chrono::seconds patience, bool at_once) {
  auto qmp = control_of(run_folder);
  const bool powered_down = !at_once && guest_runs(qmp) && power_down_in_place(qmp, patience);
  ask(qmp, "system_reset");
  if (!guest_runs(qmp)) ask(qmp, "cont");
  return powered_down ? RestartWay::powered_down : RestartWay::reset;
}

std::string screenshot_run(const machine::Path& run_folder) {
  const auto file = run_folder / "screenshot.png";
  auto qmp = control_of(run_folder);
  try {
    qmp.execute("screendump", Json::object().set("filename", file.string()).set("format", "png"), screenshot_limit);
  } catch (const Error& error) {
    if (error.message().find("no console") == std::string::npos) throw;
    throw Error(ErrorKind::unsupported, "the machine runs without a screen")
        .hint("boot it with --console auto or --console vnc");
  }
  auto picture = sys::read_file(file, largest_picture);
  sys::remove_all(file);
  return picture;
}

machine::Path console_socket(const machine::Path& run_folder) {
  auto qmp = control_of(run_folder);
  const auto target = serial_target(qmp);
  const auto socket = run_folder / "console.sock";
  if (target.find(socket.string()) == std::string::npos)
    throw Error(ErrorKind::unsupported, target.empty() ? "the machine runs without a serial line"
                                                       : "its serial line is the terminal on which it was booted")
        .hint("boot it with --detach to attach to it later");
  if (target.starts_with("disconnected:")) return socket;
  throw Error(ErrorKind::busy, "somebody is connected to its serial line").on(socket).hint("leave it there first");
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
