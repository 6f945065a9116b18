#include "hrvm/launch/ladder.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace hrvm;
using launch::Rung;
using launch::Stage;
using machine::Bus;
using machine::Firmware;

namespace {

machine::Hardware hardware(Bus bus, Firmware firmware) {
  machine::Hardware made;
  made.bus = bus;
  made.firmware = firmware;
  return made;
}

}  // namespace

TEST_CASE("the ladder begins with what the machine has, and has every bus on both firmwares once") {
  const auto rungs = launch::ladder(hardware(Bus::nvme, Firmware::uefi), {512, 512}, true);
  REQUIRE(rungs.size() == 9);
  CHECK(rungs[0] == Rung{Bus::nvme, Firmware::uefi});
  CHECK(rungs[1] == Rung{Bus::virtio, Firmware::uefi});
  CHECK(rungs[4] == Rung{Bus::nvme, Firmware::bios});
  CHECK(rungs[7] == Rung{Bus::scsi, Firmware::bios});
  CHECK(rungs[8] == Rung{Bus::ide, Firmware::bios});
  for (const auto bus : {Bus::virtio, Bus::sata, Bus::nvme, Bus::scsi, Bus::ide}) {
    for (const auto firmware : {Firmware::bios, Firmware::uefi}) {
      const bool boots = bus != Bus::ide || firmware == Firmware::bios;
      INFO(word(bus) << " " << word(firmware));
      CHECK(std::ranges::count(rungs, Rung{bus, firmware}) == (boots ? 1 : 0));
    }
  }
  const auto same_firmware = [](const Rung& rung) { return rung.firmware == Firmware::uefi; };
  CHECK(std::ranges::is_partitioned(rungs, same_firmware));
}

TEST_CASE("what cannot boot is no rung: UEFI that is not installed or on IDE, 4096-byte sectors on SATA or by BIOS") {
  CHECK(launch::ladder(hardware(Bus::virtio, Firmware::bios), {512, 512}, false).size() == 5);
  const auto large = launch::ladder(hardware(Bus::virtio, Firmware::bios), {4096, 4096}, true);
  REQUIRE(large.size() == 3);
  for (const auto& rung : large) CHECK((rung.firmware == Firmware::uefi && rung.bus != Bus::sata));
  CHECK(launch::ladder(hardware(Bus::virtio, Firmware::bios), {4096, 4096}, false).empty());
}

TEST_CASE("a machine with IDE disks is tried so by BIOS alone") {
  const auto rungs = launch::ladder(hardware(Bus::ide, Firmware::uefi), {512, 512}, true);
  CHECK(rungs.front() == Rung{Bus::virtio, Firmware::uefi});
  CHECK(std::ranges::count(rungs, Rung{Bus::ide, Firmware::bios}) == 1);
  CHECK(std::ranges::count(rungs, Rung{Bus::ide, Firmware::uefi}) == 0);
}

TEST_CASE("after a firmware that found nothing the other one is next, after a kernel without a root another bus") {
  auto left = launch::ladder(hardware(Bus::virtio, Firmware::bios), {512, 512}, true);
  const auto failed = left.front();
  left.erase(left.begin());
  CHECK(launch::after_failure(left, failed, Stage::kernel).front() == Rung{Bus::sata, Firmware::bios});
  const auto other = launch::after_failure(left, failed, Stage::firmware);
  CHECK(other.front() == Rung{Bus::virtio, Firmware::uefi});
  CHECK(other.size() == left.size());
  CHECK(launch::after_failure(left, failed, Stage::loader).front().firmware == Firmware::uefi);
}
