#include "cli/words/boot_words.hpp"

#include <fmt/core.h>

#include <array>

#include "cli/words/hardware_options.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using RunBy = launch::BootRequest::RunBy;

// What --iso names for a boot without the disc that the machine has.
constexpr std::string_view no_disc = "none";

constexpr std::uint64_t longest_timeout = 7 * 24 * 3600;

std::vector<launch::UsbId> usb_devices(const Arguments& arguments) {
  std::vector<launch::UsbId> all;
  for (const auto& word : arguments.values("--usb")) {
    const auto id = launch::usb_id_from(word);
    if (!id)
      throw Error(ErrorKind::usage, fmt::format("--usb: \"{}\" is not VENDOR:PRODUCT", base::printable(word)))
          .hint("as lsusb tells them: --usb 046d:c52b");
    all.push_back(*id);
  }
  return all;
}

std::optional<std::uint16_t> vnc_port(const Arguments& arguments) {
  const auto port = arguments.number("--vnc");
  if (!port) return std::nullopt;
  if (*port < launch::first_vnc_port || *port > 65535)
    throw Error(ErrorKind::usage, fmt::format("--vnc: {} is not from {} to 65535", *port, launch::first_vnc_port));
  return std::uint16_t(*port);
}

std::optional<std::string> libvirt_uri(const Context& context) {
  if (!context.arguments.has("--libvirt")) return std::nullopt;
  const auto uri = context.arguments.value("--libvirt").value_or("");
  if (!uri.empty()) return uri;
  return context.host.is_root() ? "qemu:///system" : "qemu:///session";
}

std::optional<machine::Path> scratch_folder(const Arguments& arguments, bool is_ephemeral) {
  const auto word = arguments.value("--scratch");
  if (!word) return std::nullopt;
  if (!is_ephemeral)
    throw Error(ErrorKind::usage, "--scratch is where a throw-away layer lies")
        .hint("add --ephemeral, or name a snapshot");
  return sys::absolute(*word);
}

struct Conflict {
  std::string_view first, second, reason;
};
constexpr std::array conflicts{
    Conflict{"--print", "--xml", "they are two ways to say the same"},
    Conflict{"--print", "--libvirt", "they are two ways to run it"},
    Conflict{"--xml", "--libvirt", "--libvirt uses what --xml prints"},
    Conflict{"--print", "--ephemeral", "a throw-away layer is there only while hrvm runs the machine"},
    Conflict{"--xml", "--ephemeral", "a throw-away layer is there only while hrvm runs the machine"},
    Conflict{"--libvirt", "--ephemeral", "a throw-away layer is there only while hrvm runs the machine"},
    Conflict{"--share", "--print", "--print says what to run after it"},
    Conflict{"--share", "--xml", "libvirt runs no machine on a folder"},
    Conflict{"--share", "--libvirt", "libvirt runs no machine on a folder"},
    Conflict{"--share", "--ephemeral", "a throw-away layer is there only while hrvm runs the machine"},
    Conflict{"--share", "--detach", "QEMU is started by somebody else"},
    Conflict{"--share", "--wait-for", "QEMU is started by somebody else"},
    Conflict{"--share", "--timeout", "QEMU is started by somebody else"},
    Conflict{"--try-hard", "--share", "what is tried has to run"},
    Conflict{"--try-hard", "--print", "what is tried has to run"},
    Conflict{"--try-hard", "--xml", "what is tried has to run"},
    Conflict{"--try-hard", "--libvirt", "what is tried runs in throw-away layers"},
    Conflict{"--try-hard", "--ephemeral", "what worked is kept for the machine"},
    Conflict{"--try-hard", "--detach", "what is tried is ended"},
    Conflict{"--try-hard", "--wait-for", "it judges by all that it sees"},
    Conflict{"--try-hard", "--bus", "it tries them all"},
    Conflict{"--try-hard", "--firmware", "it tries both"},
    Conflict{"--resume", "--print", "QEMU is handed the memory by hrvm"},
    Conflict{"--resume", "--xml", "libvirt does not know the memory"},
    Conflict{"--resume", "--libvirt", "libvirt does not know the memory"},
    Conflict{"--resume", "--share", "QEMU is handed the memory by hrvm"},
    Conflict{"--resume", "--try-hard", "it goes on in the machine that it ran in"},
    Conflict{"--libvirt", "--wait-for", "the console is libvirt's"},
    Conflict{"--libvirt", "--timeout", "the machine is libvirt's"},
    Conflict{"--libvirt", "--detach", "what libvirt runs is detached"},
};

void check_conflicts(const Arguments& arguments, const NamedMachine& named) {
  for (const auto& [first, second, reason] : conflicts) {
    const bool second_given = arguments.has(second) || (second == "--ephemeral" && named.snapshot);
    if (!arguments.has(first) || !second_given) continue;
    const auto other = arguments.has(second) ? std::string(second) : "a snapshot";
    throw Error(ErrorKind::usage, fmt::format("{} and {} cannot stand together: {}", first, other, reason));
  }
}

launch::LaunchRequest request_of(const Arguments& arguments) {
  launch::LaunchRequest request;
  request.accelerator = accelerator_word(arguments);
  request.hardware = chosen_hardware(arguments);
  request.usb = usb_devices(arguments);
  auto [shares, without_own] = chosen_shares(arguments);
  request.shares = std::move(shares);
  request.without_own_shares = without_own;
  request.vnc_port = vnc_port(arguments);
  request.console = launch::from_word<launch::Console>(arguments.value("--console").value_or("auto")).value();
  request.detach = arguments.has("--detach");
  return request;
}

}  // namespace

std::optional<launch::Accelerator> accelerator_word(const Arguments& arguments) {
  const auto word = arguments.value("--accel").value_or("auto");
  return launch::from_word<launch::Accelerator>(word);
}

std::optional<std::chrono::seconds> boot_timeout(const Arguments& arguments) {
  const auto seconds = arguments.number("--timeout");
  if (!seconds) return std::nullopt;
  if (*seconds < 1 || *seconds > longest_timeout)
    throw Error(ErrorKind::usage, fmt::format("--timeout: {} is not from 1 to {} seconds", *seconds, longest_timeout));
  return std::chrono::seconds(*seconds);
}

BootWords boot_words(const Context& context) {
  const auto& arguments = context.arguments;
  const auto named = named_machine(arguments.positional(0));
  check_conflicts(arguments, named);
  BootWords words;
  words.boot.machine = named.machine;
  words.boot.snapshot = named.snapshot;
  words.boot.launch = request_of(arguments);
  words.try_hard = arguments.has("--try-hard");
  words.boot.ephemeral = arguments.has("--ephemeral") || named.snapshot || words.try_hard;
  words.boot.scratch = scratch_folder(arguments, words.boot.ephemeral && !words.try_hard);
  for (auto& disk : chosen_disks(arguments)) words.boot.extra_disks.push_back(std::move(disk.source));
  words.boot.iso = chosen_disc(arguments);
  words.boot.without_disc = words.boot.iso && words.boot.iso->path == no_disc;
  words.boot.resume = arguments.has("--resume");
  words.boot.force = arguments.has("--force");
  words.print = arguments.has("--print");
  words.xml = arguments.has("--xml");
  words.share = arguments.has("--share");
  words.libvirt = libvirt_uri(context);
  words.boot.run_by = words.libvirt ? RunBy::libvirt : words.xml ? RunBy::domain : RunBy::hrvm;
  // Nobody bounds what a command writes that is pasted.
  words.boot.keeps_console = !words.print && !words.share;
  words.wait_for = arguments.value("--wait-for");
  if (words.wait_for) launch::check_pattern(*words.wait_for);
  words.timeout = boot_timeout(arguments);
  words.boot.launch.supervised = (words.watched() || words.try_hard) && !words.print && !words.xml;
  return words;
}

}  // namespace hrvm::cli
