// Systems as discovery finds them on a disk, made machines of by its advice alone, on hosts that differ: more variants.
#pragma once

#include "hrvm/machine/advice.hpp"
#include "unit/launch/sample_plan.hpp"

namespace hrvm::launch::testing {

using probe::Bus;
using probe::Nic;
using probe::Verdict;

struct Found {
  probe::System system;
  std::vector<probe::EfiLoader> loaders = {};
  bool bios = false;
  block::SectorSizes sectors{512, 4096};
};

inline probe::System linux_system(const std::string& name, std::vector<probe::DriverEvidence> drivers,
                                  std::vector<probe::NicEvidence> nics) {
  probe::System system;
  system.name = name;
  system.family = probe::SystemFamily::linux;
  system.drivers = std::move(drivers);
  system.nics = std::move(nics);
  return system;
}

inline probe::System windows_system(const std::string& name, probe::Verdict virtio) {
  probe::System system;
  system.name = name;
  system.family = probe::SystemFamily::windows;
  system.virtio = virtio;
  system.drivers = {{Bus::virtio, virtio, virtio == Verdict::yes ? "viostor starts with it" : "it has no viostor"},
                    {Bus::sata, Verdict::yes, "storahci starts with it"}};
  system.nics = {{Nic::virtio, virtio, virtio == Verdict::yes ? "netkvm is installed" : "it has no netkvm"},
                 {Nic::e1000e, virtio == Verdict::yes ? Verdict::unknown : Verdict::yes, "e1i65x64 is installed"}};
  return system;
}

// What import makes of it, on a host with so much.
inline void install(Sample& it, const Found& found, const machine::HostResources& resources, bool kvm) {
  probe::Survey survey;
  survey.disk.path = it.host.disks[0].path;
  survey.disk.sectors = it.machine.definition.disks[0].sectors = found.sectors;
  survey.contents.boot.bios = found.bios;
  survey.contents.boot.bios_reason = "boot code in sector 0";
  survey.contents.boot.loaders = found.loaders;
  survey.contents.systems = {found.system};
  const auto mac = it.state.hardware.mac;
  it.state.hardware = machine::advise(survey, resources).hardware;
  it.state.hardware.mac = mac;
  if (!kvm) it.host.kvm = {false, "there is no /dev/kvm"};
}

inline const machine::HostResources server{64 * base::GiB, 32}, laptop{8 * base::GiB, 8}, rescue{1 * base::GiB, 1};

}  // namespace hrvm::launch::testing
