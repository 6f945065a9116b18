#include "cli/views/boot_view.hpp"

#include <fmt/core.h>

#include "cli/views/machine_view.hpp"
#include "cli/views/or_null.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using launch::LaunchPlan;
using launch::WatchEnd;

// Where VNC's clients find the screen: a socket's path, or an address with its port; empty where there is none.
std::string vnc_place(const LaunchPlan& plan) {
  return plan.consoles.vnc_port ? fmt::format("127.0.0.1:{}", *plan.consoles.vnc_port) : plan.consoles.vnc_socket;
}

std::string screen_line(const LaunchPlan& plan) {
  if (plan.consoles.vnc_port)
    return fmt::format("screen:  vncviewer 127.0.0.1::{0}   (from elsewhere first: ssh -L {0}:127.0.0.1:{0} THIS-HOST)",
                       *plan.consoles.vnc_port);
  return fmt::format("screen:  remote-viewer {}   or   vncviewer {}",
                     base::shell_quote("vnc+unix://" + plan.consoles.vnc_socket),
                     base::shell_quote(plan.consoles.vnc_socket));
}

constexpr std::string_view keys =
    "keys:  Ctrl-A X ends the machine, Ctrl-A C leads to QEMU's monitor and back, Ctrl-C reaches the guest";

// As the commands that give orders to a run have it.
std::string run_name(const LaunchPlan& plan) {
  return plan.snapshot ? fmt::format("{}@{}", plan.name, *plan.snapshot) : plan.name;
}

std::string console_line(const LaunchPlan& plan) {
  return fmt::format("serial line:  hrvm console {}   (Ctrl-] leaves it)", run_name(plan));
}

void warn_of_speed(const Context& context, const LaunchPlan& plan) {
  if (plan.emulator.accelerator == launch::Accelerator::kvm || plan.emulator.reason == "asked for") return;
  context.warn(fmt::format("the machine is emulated, which is slow: {}", plan.emulator.reason));
}

void warn_of_memory(const Context& context, const LaunchPlan& plan) {
  const auto available = sys::memory(context.host).available_bytes;
  if (available == 0 || plan.hardware.memory_bytes <= available) return;
  context.warn(fmt::format("the machine has {} of memory, and this host has {} left: --memory gives it less",
                           base::format_bytes(plan.hardware.memory_bytes), base::format_bytes(available)));
}

// In the background once it listens, so that QEMU's command can follow at once.
std::vector<std::string> tpm_command(const LaunchPlan& plan) {
  if (!plan.companions.tpm) return {};
  auto command = launch::swtpm_command(*plan.companions.tpm);
  command.push_back("--daemon");
  return command;
}

// What a TPM remembers has no place before the first boot that has one.
std::string tpm_folder_command(const LaunchPlan& plan) {
  const auto& folder = plan.companions.tpm->state_folder;
  if (sys::status(folder).type == sys::FileType::directory) return "";
  return fmt::format("mkdir -p -m 700 {} && ", base::shell_quote(folder.string()));
}

// The overlay, and the locks that say that the machine runs, are what only hrvm makes.
std::vector<std::string> folder_command(const LaunchPlan& plan, const machine::Path& store) {
  const auto& shares = plan.companions.shares;
  if (!plan.companions.folder && shares.empty()) return {};
  std::vector<std::string> words = {
      sys::read_link("/proc/self/exe").value_or("hrvm"), "--store", store, "boot", plan.name, "--share"};
  if (!shares.empty() || !plan.hardware.shares.empty()) words.insert(words.end(), {"--share-folder", "none"});
  for (const auto& share : shares) words.insert(words.end(), {"--share-folder", word(share.what)});
  return words;
}

std::string tail_text(const launch::WatchResult& result) {
  if (result.console_tail.empty()) return "it printed nothing on its serial console";
  std::string text = "its serial console ended with:";
  for (const auto& line : result.console_tail) text += "\n  " + line;
  return text;
}

std::string failure_text(const std::string& machine, const launch::WatchRequest& request,
                         const launch::WatchResult& result) {
  const bool late = result.end == WatchEnd::timed_out;
  const auto when = late ? fmt::format("within {} s", request.timeout->count()) : std::string("before it ended");
  auto text = request.wait_for ? fmt::format("{} did not print '{}' {}", machine, *request.wait_for, when)
                               : fmt::format("{} did not end {}, and was ended", machine, when);
  if (!result.qemu_errors.empty()) text += fmt::format(" (QEMU said: {})", result.qemu_errors);
  return text;
}

}  // namespace

void say_before_boot(const Context& context, const LaunchPlan& plan) {
  for (const auto& share : plan.companions.shares)
    context.hint(fmt::format("{}, in the guest{}:  {}", base::printable(share.what.folder),
                             share.what.is_writable ? "" : " read-only", mount_line(share.what)));
  warn_of_speed(context, plan);
  warn_of_memory(context, plan);
  if (context.verbose)
    for (const auto& reason : plan.hardware.because) context.hint(reason);
}

void say_how_to_use(const Context& context, LaunchPlan& plan) {
  if (!vnc_place(plan).empty()) context.hint(screen_line(plan));
  if (plan.consoles.serial != launch::SerialTarget::terminal) return;
  context.hint(keys);
  if (!context.quiet) plan.consoles.reminder = fmt::format("hint: {}", keys);
}

void say_what_is_not_there_yet(const Context& context, const LaunchPlan& plan) {
  context.note(fmt::format("{} has no UEFI variables yet: its first boot makes {}", plan.name, plan.firmware.nvram));
  context.hint(fmt::format("make them before this is used: hrvm boot {} --firmware uefi", plan.name));
}

report::Report command_report(const LaunchPlan& plan, const machine::Path& store) {
  const auto command = launch::qemu_command(plan);
  const auto tpm = tpm_command(plan), folder = folder_command(plan, store);
  std::vector<report::View> human{report::TextView{base::shell_quote(command)}};
  if (!folder.empty()) human.insert(human.begin(), report::TextView{base::shell_quote(folder)});
  if (!tpm.empty()) human.insert(human.begin(), report::TextView{tpm_folder_command(plan) + base::shell_quote(tpm)});
  return {.schema = "hrvm.boot/1",
          .data = Json::object()
                      .set("machine", plan.name)
                      .set("command", command)
                      .set("tpm_command", tpm)
                      .set("folder_command", folder),
          .human = std::move(human)};
}

report::Report domain_report(const LaunchPlan& plan) {
  const auto xml = launch::domain_xml(plan);
  return {.schema = "hrvm.boot/1",
          .data = Json::object().set("machine", plan.name).set("xml", xml),
          .human = {report::TextView{std::string(base::trim(xml))}}};
}

report::Report running_report(const LaunchPlan& plan, pid_t pid, const std::optional<std::string>& matched) {
  Json data;
  data.set("machine", plan.name).set("pid", std::int64_t(pid)).set("qmp", plan.control.qmp_socket);
  data.set("vnc", or_null(vnc_place(plan))).set("console", or_null(plan.consoles.serial_socket));
  data.set("matched", matched);
  std::vector<report::View> human{report::TextView{fmt::format("{} runs (process {})", run_name(plan), pid)}};
  if (!vnc_place(plan).empty()) human.push_back(report::TextView{"  " + screen_line(plan)});
  if (!plan.consoles.serial_socket.empty()) human.push_back(report::TextView{"  " + console_line(plan)});
  human.push_back(report::TextView{fmt::format("  stop it:  hrvm stop {}", run_name(plan))});
  return {.schema = "hrvm.boot/1",
          .data = data,
          .human = human,
          .plain = {.columns = {{"", "machine"}, {"", "pid"}, {"", "qmp"}, {"", "vnc"}, {"", "console"}}}};
}

report::Report libvirt_report(const LaunchPlan& plan, const std::string& uri) {
  return {.schema = "hrvm.boot/1",
          .data = Json::object().set("machine", plan.name).set("domain", plan.name).set("uri", uri),
          .human = {report::TextView{fmt::format("{} runs as a domain of libvirt", plan.name)},
                    report::TextView{"  " + console_line(plan)},
                    report::TextView{fmt::format("  stop it:  hrvm stop {}", plan.name)}}};
}

Outcome watch_outcome(const LaunchPlan& plan, const launch::WatchRequest& request, const launch::WatchResult& result) {
  if (result.end == WatchEnd::matched && result.pid != 0)
    return {.report = running_report(plan, result.pid, result.matched_line)};
  if (result.end == WatchEnd::matched)
    return {.report =
                report::Report{.schema = "hrvm.boot/1",
                               .data = Json::object().set("machine", plan.name).set("matched", result.matched_line),
                               .human = {report::TextView{result.matched_line}},
                               .plain = {.columns = {{"", "machine"}, {"", "matched"}}}}};
  if (result.end == WatchEnd::ended && !request.wait_for) return {.status = result.exit_status == 0 ? 0 : 1};
  throw watch_failure(plan.name, request, result);
}

Error watch_failure(const std::string& machine, const launch::WatchRequest& request,
                    const launch::WatchResult& result) {
  return Error(ErrorKind::external, failure_text(machine, request, result)).hint(tail_text(result));
}

}  // namespace hrvm::cli
