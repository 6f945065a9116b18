// hrvm console MACHINE: this terminal becomes the serial line of a machine that runs in the background.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/running.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/sys/attach.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;

constexpr char escape_key = 0x1d;  // Ctrl-], as telnet and virsh have it

void say_how_to_leave(const Context& context, const std::string& name) {
  context.hint(fmt::format("this is the serial line of {}: Ctrl-] leaves it, Enter brings a prompt", name));
}

// Becomes virsh, and returns only by throwing.
Outcome become_virsh(const Context& context, const std::string& name, const launch::Domain& domain) {
  if (!context.host.streams.in_is_terminal)
    throw Error(ErrorKind::unsupported, "libvirt gives a serial line to a terminal alone")
        .hint("run it on one, or through script(1): " + domain.command_line("console"));
  say_how_to_leave(context, name);
  domain.become_console();
  return {};
}

Outcome run_console(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto run = runs_named(context, name).front();
  if (run.domain) return become_virsh(context, name, *run.domain);
  const auto path = launch::console_socket(run.run_folder);
  auto socket = sys::UnixSocket::connect(path, 2s);
  if (!socket) throw Error(ErrorKind::busy, "nobody answers on its serial line").on(path);
  if (context.host.streams.in_is_terminal) say_how_to_leave(context, name);
  if (sys::attach(*socket, escape_key) == sys::AttachEnd::peer_gone && context.host.streams.err_is_terminal)
    context.note(fmt::format("{} has ended", name));
  return {};
}

}  // namespace

const Command console_command = {
    .name = "console",
    .summary = "attach this terminal to the serial line of a machine that runs",
    .positionals = {{"MACHINE", "the machine", Completes::machine_running}},
    .run = run_console,
};

}  // namespace hrvm::cli
