// hrvm console MACHINE: this terminal, or a script, becomes the serial line of a machine that runs in the background.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/running.hpp"
#include "cli/views/boot_view.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/sys/attach.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using launch::WatchEnd;
using launch::WatchRequest;
using launch::WatchResult;
using namespace std::chrono_literals;

constexpr char escape_key = 0x1d;  // Ctrl-], as telnet and virsh have it

void say_how_to_leave(const Context& context, const std::string& name) {
  context.hint(fmt::format("this is the serial line of {}: Ctrl-] leaves it, Enter brings a prompt", name));
}

// Becomes virsh, and returns only by throwing.
Outcome become_virsh(const Context& context, const std::string& name, const launch::Domain& domain) {
  if (context.arguments.has("--wait-for"))
    throw Error(ErrorKind::unsupported, fmt::format("libvirt runs {}, and gives its serial line to a person", name))
        .hint("for a script: hrvm boot without --libvirt");
  if (!context.host.streams.in_is_terminal)
    throw Error(ErrorKind::unsupported, "libvirt gives a serial line to a terminal alone")
        .hint("run it on one, or through script(1): " + domain.command_line("console"));
  say_how_to_leave(context, name);
  domain.become_console();
  return {};
}

WatchRequest watch_request(const Context& context) {
  WatchRequest request;
  request.wait_for = context.arguments.value("--wait-for");
  if (request.wait_for) launch::check_pattern(*request.wait_for);
  if (context.arguments.has("--timeout")) request.timeout = patience_of(context.arguments);
  if (request.timeout && !request.wait_for)
    throw Error(ErrorKind::usage, "--timeout is how long --wait-for waits").hint("add --wait-for REGEX");
  if (!context.host.streams.in_is_terminal) request.input_fd = 0;
  return request;
}

// As the guest prints it, but to a terminal, which it shall not command. One object of JSON has no room for it.
WatchResult watch(const Context& context, sys::UnixSocket& line, const WatchRequest& request) {
  const auto& streams = context.host.streams;
  if (context.rendering == Rendering::json) return launch::watch_console(line, request, [](std::string_view) {});
  if (!streams.out_is_terminal)
    return launch::watch_console(line, request, [&](std::string_view bytes) { write_out(streams.out, bytes); });
  launch::ConsoleText text;
  const auto print = [&](std::string_view bytes) { write_out(streams.out, text.feed(bytes) + text.unfinished()); };
  auto result = launch::watch_console(line, request, print);
  if (text.is_in_line()) write_out(streams.out, "\n");
  return result;
}

report::Report matched_report(const std::string& name, const WatchResult& result) {
  return {.schema = "hrvm.console/1",
          .data = base::Json::object().set("machine", name).set("matched", result.matched_line)};
}

Outcome run_script(const Context& context, const std::string& name, sys::UnixSocket& line,
                   const WatchRequest& request) {
  const auto result = watch(context, line, request);
  if (request.wait_for && result.end != WatchEnd::matched) throw watch_failure(name, request, result);
  if (context.rendering == Rendering::json && request.wait_for) return {.report = matched_report(name, result)};
  if (result.end == WatchEnd::ended && context.host.streams.err_is_terminal)
    context.note(fmt::format("{} has ended", name));
  return {};
}

Outcome run_attached(const Context& context, const std::string& name, sys::UnixSocket& line) {
  say_how_to_leave(context, name);
  if (sys::attach(line, escape_key) == sys::AttachEnd::peer_gone && context.host.streams.err_is_terminal)
    context.note(fmt::format("{} has ended", name));
  return {};
}

Outcome run_console(const Context& context) {
  const auto& name = context.arguments.positional(0);
  const auto request = watch_request(context);
  const auto run = runs_named(context, name).front();
  if (run.domain) return become_virsh(context, name, *run.domain);
  const auto path = launch::console_socket(run.run_folder);
  auto socket = sys::UnixSocket::connect(path, 2s);
  if (!socket) throw Error(ErrorKind::busy, "nobody answers on its serial line").on(path);
  if (request.wait_for || !context.host.streams.in_is_terminal) return run_script(context, name, *socket, request);
  return run_attached(context, name, *socket);
}

}  // namespace

const Command console_command = {
    .name = "console",
    .summary = "attach this terminal to the serial line of a machine that runs",
    .options = {{.name = "--wait-for", .value = "REGEX", .help = "end once the guest prints this"},
                {.name = "--timeout", .value = "SEC", .help = "how long to wait for it"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or what runs of a snapshot", Completes::machine_running}},
    .run = run_console,
};

}  // namespace hrvm::cli
