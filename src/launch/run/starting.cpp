#include "launch/run/starting.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/launch/virtiofs.hpp"
#include "hrvm/sys/files.hpp"
#include "launch/run/memory_feed.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;

struct KnownCause {
  std::string_view words, hint;
};
constexpr std::array known_causes{
    KnownCause{"Failed to get \"write\" lock", "the layer is in use: another QEMU, or qemu-img, has it open"},
    KnownCause{"Could not set up host forwarding rule",
               "the port is taken on this host: give --forward another one, or none"},
    KnownCause{"failed to initialize kvm", "boot it with --accel tcg"},
    KnownCause{"Could not access KVM kernel module", "boot it with --accel tcg"},
    KnownCause{"cannot set up guest memory", "give the machine less with --memory"},
    KnownCause{"Cannot allocate memory", "give the machine less with --memory"},
    KnownCause{"bridge helper failed",
               "name the bridge in /etc/qemu/bridge.conf (\"allow br0\"), and see that it is there"},
    KnownCause{"does not accept value 'gtk'", "apt install qemu-system-gui, or use --console vnc"},
    KnownCause{"gtk initialization failed", "use --console vnc"},
    KnownCause{"UNIX socket path", "the run folder's path is too long: set XDG_RUNTIME_DIR to a short one"},
    KnownCause{"unable to find CPU model", "`qemu-system-x86_64 -cpu help` lists the models"},
    KnownCause{"Permission denied", "run hrvm as a user who may read the base and write to the store"},
};

std::string hint_for(const std::string& words) {
  const auto said = [&](const KnownCause& cause) { return words.find(cause.words) != std::string::npos; };
  const auto found = std::ranges::find_if(known_causes, said);
  return found == known_causes.end() ? "" : std::string(found->hint);
}

machine::Path words_file(const LaunchPlan& plan) { return plan.control.run_folder / "qemu.log"; }

// "qemu-system-x86_64: -device x: what it says" → "what it says" is kept whole: the option says where to look.
std::string without_notes(std::string_view text) {
  std::vector<std::string> kept;
  for (const auto line : base::lines(text)) {
    if (line.find(": info: ") == std::string_view::npos && !line.empty()) kept.push_back(base::printable(line));
  }
  return base::join(kept, "\n");
}

}  // namespace

PreparedCommand prepare_command(const sys::Host& host, const LaunchPlan& plan, const Keep& keep) {
  sys::make_private_directories(plan.control.run_folder);
  write_run_record(plan, host.now());
  PreparedCommand prepared{{qemu_command(plan), {}, keep.fds}, {}};
  if (plan.companions.folder) prepared.held = share_folder(host, plan, keep);
  for (auto& fd : start_shares(host, plan)) prepared.held.push_back(std::move(fd));
  if (plan.companions.tpm) prepared.held.push_back(start_tpm(host, *plan.companions.tpm, keep));
  for (const auto& fd : prepared.held) prepared.command.inherited_fds.push_back(fd.get());
  return prepared;
}

bool has_taken_layer(const LaunchPlan& plan) {
  return block::image_use(plan.disks.own.front().layer().path) == block::ImageUse::write;
}

sys::Child spawn_apart(const sys::Host& host, const LaunchPlan& plan, const Keep& keep, bool ends_with_us) {
  auto prepared = prepare_command(host, plan, keep);
  prepared.command.ends_with_us = ends_with_us;
  sys::AtomicFile words(words_file(plan));
  auto child = host.runner.spawn(prepared.command, {-1, words.fd(), words.fd()}, true);
  words.commit();
  return child;
}

std::string words_of_qemu(const LaunchPlan& plan) {
  if (const auto other = memory_differs(plan)) return other->message();
  auto words = sys::try_read_file(words_file(plan), 1 << 20).value_or("");
  // What ended virtiofsd, it has said itself.
  if (words.find("vhost") == words.npos) return without_notes(words);
  if (plan.companions.folder) words += sys::try_read_file(plan.companions.folder->log, 1 << 20).value_or("");
  for (const auto& share : plan.companions.shares) words += sys::try_read_file(share.log, 1 << 20).value_or("");
  return without_notes(words);
}

Error early_end(int exit_status, const LaunchPlan& plan) {
  if (auto other = memory_differs(plan)) return *std::move(other);
  const auto words = words_of_qemu(plan);
  const auto said = words.empty() ? fmt::format("it ended with status {} and said nothing", exit_status) : words;
  return Error(ErrorKind::external, fmt::format("QEMU did not start: {}", said)).hint(hint_for(words));
}

void end_qemu(sys::Child& qemu, const LaunchPlan& plan) {
  try {
    if (auto qmp = Qmp::connect(plan.control.qmp_socket, 500ms)) qmp->execute("quit", base::Json::object(), 500ms);
  } catch (const Error&) {
    // The signals that follow need no answer.
  }
  if (qemu.wait(3s)) return;
  qemu.signal(SIGTERM);
  if (qemu.wait(3s)) return;
  qemu.signal(SIGKILL);
  while (!qemu.wait(1s)) {
  }
}

}  // namespace hrvm::launch
