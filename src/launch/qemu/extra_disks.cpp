#include "launch/qemu/extra_disks.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

using machine::Bus;
using machine::MachineType;

// QEMU's SATA and IDE disks cannot be read-only; its USB disks can.
bool hangs_on_usb(const LaunchPlan& plan, const ExtraDisk& disk) {
  return !disk.is_disc && (plan.hardware.bus == Bus::sata || plan.hardware.bus == Bus::ide);
}

std::string model_of(const LaunchPlan& plan, const ExtraDisk& disk) {
  if (disk.is_disc) return plan.hardware.machine == MachineType::pc ? "ide-cd,bus=ide.1" : "ide-cd,bus=ide.2";
  switch (plan.hardware.bus) {
    case Bus::virtio:
      return "virtio-blk-pci";
    case Bus::sata:
    case Bus::ide:
      return "usb-storage,bus=usb0.0";
    case Bus::nvme:
      return "nvme";
    case Bus::scsi:
      return "scsi-hd,bus=scsi0.0";
  }
  return {};
}

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) text += c == ',' ? ",," : std::string(1, c);
  return text;
}

std::string device_of(const LaunchPlan& plan, std::size_t extra) {
  const auto& disk = plan.disks.extra[extra];
  const auto node = extra_node_name(extra, 0);
  auto device = fmt::format("{},id={}-device,drive={}", model_of(plan, disk), node, node);
  const auto serial = disk.serial.empty() && plan.hardware.bus == Bus::nvme ? "hrvm-" + node : disk.serial;
  if (!disk.is_disc && !serial.empty()) device += ",serial=" + escaped(serial);
  if (!disk.is_disc)
    device += fmt::format(",logical_block_size={},physical_block_size={}", disk.sectors.logical_bytes,
                          disk.sectors.physical_bytes);
  return disk.boots_first ? device + ",bootindex=0" : device;
}

}  // namespace

std::string extra_node_name(std::size_t extra, std::size_t index) {
  return index == 0 ? fmt::format("extra{}", extra + 1) : fmt::format("extra{}-{}", extra + 1, index);
}

std::vector<std::string> extra_devices(const LaunchPlan& plan) {
  std::vector<std::string> devices;
  if (!plan.has_display() && wants_usb(plan)) devices.push_back("qemu-xhci,id=usb0");
  for (std::size_t extra = 0; extra < plan.disks.extra.size(); ++extra) devices.push_back(device_of(plan, extra));
  return devices;
}

bool wants_usb(const LaunchPlan& plan) {
  const auto on_usb = [&](const ExtraDisk& disk) { return hangs_on_usb(plan, disk); };
  return !plan.usb.empty() || std::ranges::any_of(plan.disks.extra, on_usb);
}

int boot_index_of_own_disk(const LaunchPlan& plan) {
  return std::ranges::any_of(plan.disks.extra, &ExtraDisk::boots_first) ? 1 : 0;
}

}  // namespace hrvm::launch
