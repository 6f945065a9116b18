// A machine, and what a host knows of it, to make plans from.
#pragma once

#include "hrvm/base/byte_size.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch::testing {

struct Sample {
  Sample() {
    auto& definition = machine.definition;
    definition.uuid = *base::Guid::parse("0f0e0d0c-0b0a-4908-8706-050403020100");
    definition.disks[0].path = "/dev/sda";
    definition.disks[0].size_bytes = 240ull << 30;
    definition.disks[0].sectors = {512, 4096};
    definition.disks[0].serial = "S3Z9NB0K";
    state.layer = "a1";
    state.hardware.memory_bytes = 2 * base::GiB;
    state.hardware.cpus = 2;
    state.hardware.mac = "52:54:00:12:34:56";
    definition.active = state;

    host.qemu = "/usr/bin/qemu-system-x86_64";
    host.swtpm = "/usr/bin/swtpm";
    host.tpm_folder = "/var/lib/hrvm/web/tpm";
    host.kvm = {true, "KVM runs guests"};
    host.firmwares = {{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", 540672, "known path"},
                      {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd", 131072, "known path"},
                      {"/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", 540672, "known path",
                       hrvm::machine::SecureBoot::on}};
    host.layer_direct = true;
    host.run_folder = "/run/hrvm/0f0e0d0c-0b0a-4908-8706-050403020100";
    auto& disk = host.disks.emplace_back();
    disk.path = "/dev/sda";
    disk.stable_path = "/dev/disk/by-id/ata-Disk_S3Z9NB0K";
  }

  void add_image(const std::string& path) {
    probe::Disk disk;
    disk.kind = probe::DiskKind::image;
    disk.path = disk.stable_path = path;
    host.extra_sources.push_back({disk});
  }

  LaunchPlan plan() const { return plan_launch(machine, state, layers, nvram, request, host); }
  std::vector<std::string> command() const { return qemu_command(plan()); }

  machine::Machine machine{"web", "/var/lib/hrvm/web", 1, {}};
  machine::State state;
  std::vector<machine::Path> layers{"/var/lib/hrvm/web/layers/a1.qcow2"};
  machine::Path nvram = "/var/lib/hrvm/web/nvram/f1.fd";
  LaunchRequest request;
  LaunchCircumstances host;
};

}  // namespace hrvm::launch::testing
