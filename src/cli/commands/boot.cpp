// hrvm boot MACHINE[@SNAP]: checks, plans and runs a machine. What is plain runs by exec, so that QEMU is all there is.
#include <fmt/core.h>

#include <ostream>

#include "cli/commands/commands.hpp"
#include "cli/steps/boot_checks.hpp"
#include "cli/steps/domains.hpp"
#include "cli/steps/try_hard.hpp"
#include "cli/views/boot_view.hpp"
#include "cli/words/boot_words.hpp"
#include "cli/words/hardware_options.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/bridge.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/launch/throw_away.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/launch/virtiofs.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;
using machine::State;

// A machine that may boot, all checks passed, its lock held.
struct Boot {
  const Context& context;
  const BootWords& words;
  machine::Store store;
  sys::Lock lock;
  Machine machine;
  State state;
  launch::LaunchPlan plan;
  std::optional<launch::ThrowAway> throw_away;
  launch::Keep keep;
};

// Keys are among the variables, and where there are any firmware checks signatures, also one that is not made for it.
// Variables that only the firmware can read are left to it.
bool fits(const machine::Path& nvram, machine::SecureBoot wanted) {
  if (wanted == machine::SecureBoot::blank) return true;
  try {
    const launch::VariableStore variables(sys::read_file(nvram, launch::largest_flash), nvram);
    return launch::has_secure_boot_keys(variables) == (wanted == machine::SecureBoot::on);
  } catch (const Error&) {
    return true;
  }
}

// The variables that it has, where they will do.
std::optional<machine::Path> nvram_of(const Machine& machine, const State& state, const BootWords& words) {
  if (!state.nvram) return std::nullopt;
  auto nvram = machine.nvram_path(*state.nvram);
  const auto wanted = words.request.hardware.secure_boot.value_or(state.hardware.secure_boot);
  return fits(nvram, wanted) ? std::optional(std::move(nvram)) : std::nullopt;
}

std::vector<machine::Path> layers_of(const Machine& machine, const State& state) {
  std::vector<machine::Path> layers;
  for (const auto& id : machine.definition.chain(state)) layers.push_back(machine.layer_path(id));
  return layers;
}

// For the loaders that are on the disk now; what cannot be read has none.
std::vector<launch::BootEntry> boot_entries_of(const Context& context, const probe::Disk& base) {
  try {
    return launch::boot_entries(probe::survey_disk(context.host, base, probe::Thoroughness::quick).contents);
  } catch (const Error& error) {
    context.warn(fmt::format("the machine gets no boot entries: {}", error.message()));
    return {};
  }
}

std::string new_variables(const Context& context, const launch::UefiFirmware& firmware, const probe::Disk& base) {
  const auto entries = boot_entries_of(context, base);
  try {
    return launch::make_variables(context.host, {firmware, entries});
  } catch (const Error& error) {
    if (entries.empty()) throw;
    context.warn(fmt::format("the machine gets no boot entries: {}", error.message()));
    return launch::make_variables(context.host, {firmware, {}});
  }
}

// The machine's own layer and variables; the first UEFI boot makes the variables.
void plan_lasting(Boot& boot, const launch::LaunchCircumstances& circumstances) {
  const bool has_variables = nvram_of(boot.machine, boot.state, boot.words).has_value();
  const auto id = has_variables ? *boot.state.nvram : boot.store.new_id();
  boot.plan = launch::plan_launch(boot.machine, boot.state, layers_of(boot.machine, boot.state),
                                  boot.machine.nvram_path(id), boot.words.request, circumstances);
  if (!boot.plan.firmware || has_variables) return;
  const auto variables = new_variables(boot.context, *boot.plan.firmware, circumstances.base);
  boot.machine = launch::give_nvram(boot.store, boot.machine, id, variables);
}

// A layer over them, in a folder that QEMU keeps locked. Planned first, so that what cannot run leaves nothing behind.
void plan_ephemeral(Boot& boot, launch::LaunchCircumstances circumstances) {
  const auto id = boot.store.new_id();
  const auto folder = boot.machine.folder / "tmp" / id;
  auto layers = layers_of(boot.machine, boot.state);
  layers.insert(layers.begin(), folder / boot.machine.definition.layer_name("layer"));
  circumstances.run_folder /= id;
  circumstances.tpm_folder = folder / "tpm";
  boot.plan =
      launch::plan_launch(boot.machine, boot.state, layers, folder / "nvram.fd", boot.words.request, circumstances);
  boot.throw_away.emplace(boot.machine, boot.state, id);
  boot.keep.fds.push_back(boot.throw_away->lock_fd());
  if (boot.plan.tpm) boot.throw_away->copy_tpm(boot.machine);
  if (!boot.plan.firmware) return;
  const auto kept = nvram_of(boot.machine, boot.state, boot.words);
  boot.throw_away->write_nvram(kept ? sys::read_file(*kept, launch::largest_flash)
                                    : new_variables(boot.context, *boot.plan.firmware, circumstances.base));
}

// What the machine remembers; `without` is the setting that has it forget.
probe::Disk check_kept(const Context& context, const std::string& what, const std::string& path, const BootWords& words,
                       const std::string& without) {
  try {
    return check_extra_disk(context, path, words.force);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    const auto& name = words.named.machine;
    throw Error(ErrorKind::not_found, fmt::format("{} of {} is missing: {}", what, name, path))
        .on(path)
        .hint(fmt::format("bring it back, or boot without it from now on: hrvm set {} {}", name,
                          base::shell_quote(without)));
  }
}

std::optional<launch::ExtraSource> disc_source(const Context& context, const State& state, const BootWords& words) {
  const auto& disc = words.iso ? words.iso : state.hardware.iso;
  if (!disc || (words.iso && disc->path == no_disc)) return std::nullopt;
  auto found = words.iso ? check_extra_disk(context, disc->path, words.force)
                         : check_kept(context, "the disc", disc->path, words, "iso=");
  return launch::ExtraSource{std::move(found), true, disc->boots_first};
}

std::vector<launch::ExtraSource> extra_sources(const Context& context, const State& state, const BootWords& words) {
  std::vector<launch::ExtraSource> sources;
  for (const auto& path : state.hardware.disks)
    sources.push_back({check_kept(context, "another disk", path, words, "disk=-" + path), false, false});
  for (const auto& source : words.extra_disks)
    sources.push_back({check_extra_disk(context, source, words.force), false, false});
  if (auto disc = disc_source(context, state, words)) sources.push_back(*std::move(disc));
  return sources;
}

// libvirt joins a bridge by itself, which may be one of another host.
std::string bridge_helper(const Context& context, const State& state, const BootWords& words) {
  const auto network = words.request.hardware.network.value_or(state.hardware.network);
  if (network.kind != machine::NetworkKind::bridge || words.libvirt || words.xml) return {};
  return launch::usable_bridge_helper(context.host, network.bridge);
}

Boot prepare(const Context& context, const BootWords& words) {
  auto store = open_store(context);
  auto lock = store.lock(words.named.machine);
  auto machine = store.load(words.named.machine);
  const auto state = state_named(machine, words.named.snapshot);
  const auto bases = check_boot(context, store, machine, state, words);
  if (!words.libvirt) define_left_over(context, machine);
  machine::give_back_reserved(machine);
  auto circumstances = launch::gather(context.host, machine, bases, nvram_of(machine, state, words));
  for (const auto& id : words.request.usb) launch::check_usb_device(context.host, id);
  circumstances.bridge_helper = bridge_helper(context, state, words);
  circumstances.extra_sources = extra_sources(context, state, words);
  // The guest may have another by now than was there at import.
  if (machine.definition.base.is_folder())
    circumstances.kernel = launch::find_kernel_files(machine::folder_stack(machine, state));
  Boot boot{context, words, std::move(store), std::move(lock), std::move(machine), state, {}, {}, {}};
  if (words.ephemeral)
    plan_ephemeral(boot, circumstances);
  else
    plan_lasting(boot, circumstances);
  return boot;
}

launch::WatchRequest watch_request(const Context& context, const BootWords& words) {
  launch::WatchRequest request;
  request.wait_for = words.wait_for;
  request.timeout = words.timeout;
  request.keep_running = words.request.detach;
  if (!context.host.streams.in_is_terminal) request.input_fd = 0;
  if (context.host.streams.err_is_terminal && !context.quiet && context.rendering != Rendering::json)
    request.on_line = [&err = context.host.streams.err](const std::string& line) { err << line << "\n" << std::flush; };
  return request;
}

Outcome watch(Boot& boot) {
  const auto request = watch_request(boot.context, boot.words);
  const auto result = launch::run_watched(boot.context.host, boot.plan, std::move(boot.lock), boot.keep, request);
  return watch_outcome(boot.plan, request, result);
}

Outcome run_attached(Boot& boot) {
  say_how_to_use(boot.context, boot.plan);
  if (!boot.throw_away) {
    launch::run_in_foreground(boot.context.host, boot.plan, std::move(boot.lock), boot.keep);
    return {};
  }
  const int status = launch::run_supervised(boot.context.host, boot.plan, std::move(boot.lock), boot.keep);
  return {.status = status == 0 ? 0 : 1};
}

Outcome run_planned(Boot& boot) {
  say_before_boot(boot.context, boot.plan);
  if (boot.words.watched()) return watch(boot);
  if (!boot.words.request.detach) return run_attached(boot);
  const auto pid = launch::run_detached(boot.context.host, boot.plan, std::move(boot.lock), boot.keep);
  return {.report = running_report(boot.plan, pid, std::nullopt)};
}

// QEMU that stays in the background keeps its throw-away layer; the next command after its end removes it.
bool still_runs(const Boot& boot) {
  return boot.words.request.detach && block::image_use(boot.throw_away->layer()) == block::ImageUse::write;
}

void remove_throw_away(const Boot& boot) {
  boot.throw_away->remove();
  sys::remove_all(boot.plan.run_folder);
}

// However the run ends, what it lay on goes.
template <typename Run>
auto run_throw_away(const Boot& boot, const Run& run) {
  try {
    auto result = run();
    if (!still_runs(boot)) remove_throw_away(boot);
    return result;
  } catch (const Error&) {
    remove_throw_away(boot);
    throw;
  }
}

launch::WatchResult try_once(const Context& context, const BootWords& words, launch::BootJudge& judge) {
  auto boot = prepare(context, words);
  auto request = watch_request(context, words);
  request.timeout.reset();
  request.input_fd = -1;
  request.judge = &judge;
  return run_throw_away(
      boot, [&] { return launch::run_watched(context.host, boot.plan, std::move(boot.lock), boot.keep, request); });
}

// The record first: a domain that no record tells of would not be found again.
Outcome run_in_libvirt(const Boot& boot) {
  const launch::Domain domain(boot.context.host, {*boot.words.libvirt, boot.plan.name, boot.plan.uuid});
  const auto xml = launch::domain_xml(boot.plan);
  launch::undefine_elsewhere(boot.context.host, boot.machine, domain.record());
  launch::keep_domain_record(boot.machine.folder, domain.record());
  domain.define(xml, boot.plan.run_folder / "domain.xml");
  launch::DomainAway::forget(boot.machine.folder);
  domain.start();
  return {.report = libvirt_report(boot.plan, *boot.words.libvirt)};
}

// With all that is to be there when the commands are pasted.
Outcome print(const Boot& boot) {
  sys::make_directories(boot.plan.run_folder);
  if (boot.plan.tpm) launch::prepare_tpm(*boot.plan.tpm);
  return {.report = command_report(boot.plan, boot.store.folder())};
}

Outcome share(const Boot& boot) {
  if (!boot.plan.folder)
    throw Error(ErrorKind::usage, fmt::format("{} lies on a disk, which needs no --share", boot.plan.name));
  launch::share_folder_alone(boot.context.host, boot.plan);
  return {};
}

Outcome run_boot(const Context& context) {
  const auto words = boot_words(context);
  if (words.try_hard)
    return try_hard(context, words,
                    [&](const BootWords& tried, launch::BootJudge& judge) { return try_once(context, tried, judge); });
  auto boot = prepare(context, words);
  if (words.print) return print(boot);
  if (words.share) return share(boot);
  if (words.xml) return {.report = domain_report(boot.plan)};
  if (words.libvirt) return run_in_libvirt(boot);
  if (!boot.throw_away) return run_planned(boot);
  return run_throw_away(boot, [&] { return run_planned(boot); });
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
         {.name = "--print", .help = "print the QEMU command, after the checks of a boot"},
         {.name = "--share", .help = "of a folder: start what QEMU has it from, before what --print prints"},
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
         {.name = "--forward",
          .value = "HOST:GUEST",
          .help = "a TCP port on loopback that leads into the guest",
          .repeatable = true},
         {.name = "--force", .help = "boot although the disk has changed or is in use, or space is low"}}),
    .positionals = {{"MACHINE[@SNAP]", "the machine, or a snapshot of it", Completes::machine_or_snapshot}},
    .run = run_boot,
};

}  // namespace hrvm::cli
