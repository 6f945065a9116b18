#include "hrvm/launch/virtiofs.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/launch/root_initramfs.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

namespace {

constexpr std::size_t largest_initramfs = base::GiB, largest_modules = 128 * base::MiB;
constexpr std::string_view separator("\0", 1);  // no path holds one

sys::Fd locked(const machine::Path& folder, bool for_writing) {
  auto fd = sys::open_folder(folder);
  if (for_writing)
    block::lock_image_exclusively(fd.get(), folder);
  else
    block::lock_image_for_reading(fd.get(), folder);
  return fd;
}

// The layer that is written says that the machine runs; what lies below is not to change meanwhile, the base as little.
std::vector<sys::Fd> lock_layers(const LaunchPlan& plan) {
  std::vector<sys::Fd> locks;
  for (const auto& layer : plan.disks.own.front().chain) locks.push_back(locked(layer.path, locks.empty()));
  locks.push_back(locked(plan.companions.folder->base, !plan.companions.folder->overlay));
  return locks;
}

// What a guest may have written is read in a child, as a disk is.
std::string read_confined(const sys::ConfinedFunction& function, const std::vector<machine::Path>& stack) {
  sys::Confinement limits;
  limits.folders = stack;
  limits.answer_bytes = largest_modules;
  auto answer = sys::run_confined(function, limits);
  if (answer.text) return std::move(*answer.text);
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("reading what lies in {} failed: the reader {}", stack.back().string(), answer.death))
      .on(stack.back())
      .hint("it may be made to break what reads it; hrvm reset starts over from the folder itself");
}

sys::Child spawn(const sys::Host& host, const SharedFolder& folder, const sys::Command& command) {
  sys::AtomicFile words(folder.log);
  auto child = [&] {
    if (!folder.overlay) return host.runner.spawn(command, {-1, words.fd(), words.fd()}, true);
    sys::make_directories(folder.overlay->mount_point);
    return sys::spawn_in_overlay(host.runner, command, *folder.overlay, words.fd());
  }();
  words.commit();
  return child;
}

}  // namespace

// Both that there are, QEMU's own and the one in Rust, know these options. Attributes: without them a guest's programs
// lose their capabilities, and its journal the rights of who may read it.
std::vector<std::string> virtiofsd_command(const SharedFolder& folder, const std::string& socket_option) {
  return {folder.program, socket_option,      "-o", "source=" + folder.folder.string(),
          "-o",           "cache=auto",       "-o", "xattr",
          "-o",           "sandbox=namespace"};
}

// Attributes would let the guest give a program capabilities that it has on the host.
std::vector<std::string> virtiofsd_command(const PlannedShare& share, const std::string& socket_option) {
  return {share.program, socket_option, "-o", "source=" + share.mount_point.string(),
          "-o",          "cache=auto",  "-o", "sandbox=namespace"};
}

// It inherits the locks, which so are held for as long as it runs.
static sys::Child start_virtiofsd(const sys::Host& host, const LaunchPlan& plan, const std::vector<sys::Fd>& locks,
                                  const Keep& keep) {
  const auto& folder = *plan.companions.folder;
  write_initramfs(folder);
  const auto listening = sys::listen_at(folder.socket);
  sys::Command command{virtiofsd_command(folder, fmt::format("--fd={}", listening.get())), {}, keep.fds};
  for (const auto& fd : locks) command.inherited_fds.push_back(fd.get());
  command.inherited_fds.push_back(listening.get());
  return spawn(host, folder, command);
}

std::vector<sys::Fd> share_folder(const sys::Host& host, const LaunchPlan& plan, const Keep& keep) {
  auto held = lock_layers(plan);
  const auto child = start_virtiofsd(host, plan, held, keep);
  held.push_back(sys::tie_to_lifeline(child));
  return held;
}

static sys::Child start_virtiofsd(const sys::Host& host, const PlannedShare& share) {
  sys::make_directories(share.mount_point);
  const auto listening = sys::listen_at(share.socket);
  const sys::Command command{virtiofsd_command(share, fmt::format("--fd={}", listening.get())), {}, {listening.get()}};
  sys::AtomicFile words(share.log);
  const sys::BindMount mount{share.what.folder, share.mount_point, share.what.is_writable};
  auto child = sys::spawn_in_bind_mount(host.runner, command, mount, words.fd());
  words.commit();
  return child;
}

std::vector<sys::Fd> start_shares(const sys::Host& host, const LaunchPlan& plan) {
  std::vector<sys::Fd> held;
  for (const auto& share : plan.companions.shares) held.push_back(sys::tie_to_lifeline(start_virtiofsd(host, share)));
  return held;
}

void share_folders_alone(const sys::Host& host, const LaunchPlan& plan) {
  if (plan.companions.folder) start_virtiofsd(host, plan, lock_layers(plan), {});
  for (const auto& share : plan.companions.shares) start_virtiofsd(host, share);
}

KernelFiles find_kernel_files(const std::vector<machine::Path>& stack) {
  const auto files = fs::open_folder(stack);
  const auto place = [&](const std::string& path) {
    return path.empty() ? std::string() : fs::place_in_folder(stack, path).value_or(machine::Path()).string();
  };
  const auto find = [&] {
    const auto kernel = probe::find_folder_kernel(*files).value_or(probe::FolderKernel{});
    return base::join({kernel.version, kernel.kernel, kernel.initramfs}, separator);
  };
  const auto found = read_confined(find, stack);
  const auto parts = base::split(found, separator.front());
  if (parts.size() != 3) return {};
  return {stack, std::string(parts[0]), place(std::string(parts[1])), place(std::string(parts[2]))};
}

void write_initramfs(const SharedFolder& folder) {
  const machine::Path path = folder.initramfs;
  sys::make_directories(path.parent_path());
  const auto files = fs::open_folder(folder.own.stack);
  const auto read_modules = [&] {
    const auto modules = root_modules(*files, folder.own.version);
    return modules.empty() ? std::string() : cpio_archive(*files, modules);
  };
  const auto modules = read_confined(read_modules, folder.own.stack);
  sys::AtomicFile written(path);
  if (!folder.own.initramfs.empty()) {
    auto own = sys::read_file(folder.own.initramfs, largest_initramfs);
    own.append((4 - own.size() % 4) % 4, '\0');
    written.write(own);
  }
  written.write(modules);
  written.commit();
}

}  // namespace hrvm::launch
