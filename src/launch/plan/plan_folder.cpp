#include "launch/plan/plan_folder.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

void check(const LaunchPlan& plan, const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  if (request.hardware.firmware || request.hardware.bus)
    throw Error(ErrorKind::usage, fmt::format("{} starts from a folder: it has no firmware and no bus", plan.name));
  if (circumstances.virtiofsd.empty())
    throw Error(ErrorKind::not_found, "virtiofsd is not installed, by which a guest has a folder as its root")
        .hint("apt install virtiofsd, or qemu-system-common on Debian 12");
  if (circumstances.kernel.kernel.empty())
    throw Error(ErrorKind::not_found, fmt::format("there is no kernel in {}", circumstances.disks.front().path))
        .on(circumstances.disks.front().path)
        .hint("that is for its owner to mend: by installing one in it, with an initramfs; on Debian linux-image-amd64");
}

// The last console named is the one that the guest's init speaks on.
std::string command_line(const LaunchPlan& plan) {
  std::string line = fmt::format("root={} rootfstype=virtiofs rw", root_tag);
  if (plan.has_display()) line += " console=tty0";
  if (plan.consoles.serial != SerialTarget::none) line += " console=ttyS0";
  return line;
}

std::optional<sys::OverlayMount> overlay(std::vector<machine::Path> layers, bool direct, const LaunchPlan& plan) {
  // A direct machine's own layer only shows that it runs.
  if (direct) layers.pop_back();
  if (layers.empty()) return std::nullopt;
  sys::OverlayMount mount;
  mount.upper = machine::upper_of(layers.front());
  mount.work = machine::work_of(layers.front());
  for (std::size_t i = 1; i < layers.size(); ++i) mount.lowers.push_back(machine::upper_of(layers[i]));
  mount.lowers.push_back(plan.companions.folder->base);
  mount.mount_point = plan.control.run_folder / "root";
  return mount;
}

}  // namespace

void plan_folder(LaunchPlan& plan, const machine::Definition& definition, const std::vector<machine::Path>& layers,
                 const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  check(plan, request, circumstances);
  auto& chain = plan.disks.own.emplace_back().chain;
  for (const auto& layer : layers) chain.push_back({layer, probe::DiskFormat::folder, false});
  plan.companions.folder.emplace();
  auto& folder = *plan.companions.folder;
  folder.program = circumstances.virtiofsd;
  folder.base = circumstances.disks.front().path;
  folder.overlay = overlay(layers, definition.is_direct(), plan);
  folder.folder = folder.overlay ? folder.overlay->mount_point : folder.base;
  folder.socket = plan.control.run_folder / "root.sock";
  folder.log = plan.control.run_folder / "virtiofsd.log";
  folder.own = circumstances.kernel;
  folder.initramfs = plan.control.run_folder / "initramfs";
  folder.command_line = command_line(plan);
}

}  // namespace hrvm::launch
