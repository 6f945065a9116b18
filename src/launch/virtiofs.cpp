#include "hrvm/launch/virtiofs.hpp"

#include <fmt/core.h>

#include "companion.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/launch/root_initramfs.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/socket.hpp"

namespace hrvm::launch {

namespace {

constexpr std::size_t largest_initramfs = base::GiB;

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
  for (const auto& layer : plan.disks.front().chain) locks.push_back(locked(layer.path, locks.empty()));
  locks.push_back(locked(plan.folder->base, !plan.folder->overlay));
  return locks;
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

std::optional<std::string> find_virtiofsd(const sys::Host& host) {
  if (auto found = host.first_existing({"/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/lib/virtiofsd",
                                        "/usr/lib/kvm/virtiofsd", "/usr/local/libexec/virtiofsd",
                                        "/run/current-system/sw/bin/virtiofsd"}))
    return found;
  return host.find_program("virtiofsd");
}

// Both that there are, QEMU's own and the one in Rust, know these options. Attributes: without them a guest's programs
// lose their capabilities, and its journal the rights of who may read it.
std::vector<std::string> virtiofsd_command(const SharedFolder& folder, const std::string& socket_option) {
  return {folder.program, socket_option,      "-o", "source=" + folder.folder.string(),
          "-o",           "cache=auto",       "-o", "xattr",
          "-o",           "sandbox=namespace"};
}

std::vector<sys::Fd> share_folder(const sys::Host& host, const LaunchPlan& plan, const Keep& keep) {
  const auto& folder = *plan.folder;
  auto held = lock_layers(plan);
  write_initramfs(folder);
  const auto listening = sys::listen_at(folder.socket);
  sys::Command command{virtiofsd_command(folder, fmt::format("--fd={}", listening.get())), {}, keep.fds};
  for (const auto& fd : held) command.inherited_fds.push_back(fd.get());
  command.inherited_fds.push_back(listening.get());
  const auto child = spawn(host, folder, command);
  held.push_back(tie_to_lifeline(child));
  return held;
}

KernelFiles find_kernel_files(const std::vector<machine::Path>& stack) {
  const auto files = fs::open_folder(stack);
  const auto kernel = probe::find_folder_kernel(*files);
  if (!kernel) return {};
  const auto place = [&](const std::string& path) {
    return path.empty() ? std::string() : fs::place_in_folder(stack, path).value_or(machine::Path()).string();
  };
  return {stack, kernel->version, place(kernel->kernel), place(kernel->initramfs)};
}

void write_initramfs(const SharedFolder& folder) {
  const machine::Path path = folder.initramfs;
  sys::make_directories(path.parent_path());
  const auto files = fs::open_folder(folder.own.stack);
  const auto modules = root_modules(*files, folder.own.version);
  sys::AtomicFile written(path);
  if (!folder.own.initramfs.empty()) {
    auto own = sys::read_file(folder.own.initramfs, largest_initramfs);
    own.append((4 - own.size() % 4) % 4, '\0');
    written.write(own);
  }
  if (!modules.empty()) written.write(cpio_archive(*files, modules));
  written.commit();
}

}  // namespace hrvm::launch
