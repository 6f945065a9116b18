// hrvm boot MACHINE[@SNAP]: checks, plans and runs a machine. What is plain runs by exec, so that QEMU is all there is.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/autostart.hpp"
#include "cli/steps/try_hard.hpp"
#include "cli/views/boot_view.hpp"
#include "cli/words/boot_words.hpp"
#include "cli/words/hardware_options.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/virtiofs.hpp"

namespace hrvm::cli {
namespace {

using launch::Boot;

launch::WatchRequest watch_request(const Context& context, const BootWords& words) {
  launch::WatchRequest request;
  request.wait_for = words.wait_for;
  request.timeout = words.timeout;
  request.keep_running = words.boot.launch.detach;
  if (!context.host.streams.in_is_terminal) request.input_fd = 0;
  request.on_line = console_listener(context);
  return request;
}

Outcome watch(const Context& context, const BootWords& words, Boot& boot) {
  const auto request = watch_request(context, words);
  const auto result = launch::run_watched(context.host, boot.plan, std::move(boot.lock), boot.keep, request);
  return watch_outcome(boot.plan, request, result);
}

Outcome run_attached(const Context& context, Boot& boot) {
  say_how_to_use(context, boot.plan);
  if (!boot.throw_away) {
    launch::run_in_foreground(context.host, boot.plan, std::move(boot.lock), boot.keep);
    return {};
  }
  const int status = launch::run_supervised(context.host, boot.plan, std::move(boot.lock), boot.keep);
  return {.status = status == 0 ? 0 : 1};
}

Outcome run_here(const Context& context, const BootWords& words, Boot& boot) {
  say_before_boot(context, boot.plan);
  if (words.watched()) return watch(context, words, boot);
  if (!words.boot.launch.detach) return run_attached(context, boot);
  const auto pid = launch::run_detached(context.host, boot.plan, std::move(boot.lock), boot.keep);
  return {.report = running_report(boot.plan, pid, std::nullopt)};
}

// The pasted commands need a place for their sockets, which goes with this boot of the host.
Outcome show(const Context& context, const BootWords& words, const Boot& boot) {
  if (boot.lacks_variables()) say_what_is_not_there_yet(context, boot.plan);
  if (words.xml) return {.report = domain_report(boot.plan)};
  launch::make_run_folder(boot.plan);
  return {.report = command_report(boot.plan, boot.store.folder())};
}

Outcome share(const Context& context, const Boot& boot) {
  if (!boot.plan.companions.folder && boot.plan.companions.shares.empty())
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} lies on a disk and has no folder, and needs no --share", boot.plan.name));
  launch::share_folders_alone(context.host, boot.plan);
  return {};
}

Outcome run_in_libvirt(const Context& context, const Boot& boot, const std::string& uri) {
  launch::run_in_libvirt(context.host, boot.machine, boot.plan, uri);
  if (boot.machine.definition.autostart) follow_autostart(context, boot.store, boot.machine);
  return {.report = libvirt_report(boot.plan, uri)};
}

Outcome run_boot(const Context& context) {
  const auto words = boot_words(context);
  const auto store = open_store(context);
  if (words.try_hard) return try_hard(context, store, words, watch_request(context, words));
  auto boot = launch::prepare(context.host, store, words.boot, listener(context));
  if (words.print || words.xml) return show(context, words, boot);
  launch::make(boot, context.host, listener(context));
  if (words.share) return share(context, boot);
  if (words.libvirt) return run_in_libvirt(context, boot, *words.libvirt);
  return launch::run_made(boot, [&] { return run_here(context, words, boot); });
}

}  // namespace

const Command boot_command = {
    .name = "boot",
    .summary = "run a machine, or a snapshot of it in a throw-away layer",
    .options = with_hardware_options(
        {{.name = "--console",
          .value = "WHERE",
          .help = "serial line here and VNC on a socket (auto), or one of them",
          .choices = {"auto", "serial", "vnc", "gui", "none"}},
         {.name = "--vnc", .value = "PORT", .help = "VNC on this port of the loopback address, not on a socket"},
         {.name = "--detach", .help = "run it in the background"},
         {.name = "--ephemeral", .help = "in a throw-away layer: nothing is kept"},
         {.name = "--resume", .help = "go on from what the snapshot holds of its guest's memory"},
         {.name = "--scratch",
          .value = "DIR",
          .help = "where a throw-away layer lies, in place of the store",
          .completes = Completes::folder},
         {.name = "--print", .help = "print the QEMU command, after the checks of a boot"},
         {.name = "--share", .help = "start what QEMU has folders from, before what --print prints"},
         {.name = "--xml", .help = "print a libvirt domain, after the checks of a boot"},
         {.name = "--libvirt", .value = "URI", .help = "define and start it in libvirt", .value_optional = true},
         {.name = "--wait-for",
          .value = "REGEX",
          .help = "end once the serial console shows this (with --detach: leave it running)"},
         {.name = "--try-hard", .help = "on one bus and firmware after another, and keep what comes up"},
         {.name = "--timeout", .value = "SEC", .help = "end it when so much time has passed"},
         {.name = "--accel", .value = "KIND", .help = "what runs it", .choices = {"auto", "kvm", "tcg"}}},
        &machine::HardwareOption::at_boot,
        {disk_option(),
         iso_option(),
         {.name = "--usb",
          .value = "VENDOR:PRODUCT",
          .help = "a USB device of this host, which is the guest's meanwhile",
          .repeatable = true},
         forward_option(),
         share_folder_option(),
         {.name = "--force", .help = "boot although the disk has changed or is in use, or space is low"}}),
    .positionals = {{"MACHINE[@SNAP]", "the machine, or a snapshot of it", Completes::machine_or_snapshot}},
    .run = run_boot,
};

}  // namespace hrvm::cli
