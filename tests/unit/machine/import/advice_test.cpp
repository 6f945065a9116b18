#include "hrvm/machine/advice.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using base::GiB;
using base::MiB;
using probe::SystemFamily;
using probe::Verdict;

namespace {

constexpr HostResources roomy = {16 * GiB, 8};

struct Evidence {
  bool bios = false, removable = false, vendor = false;
  std::uint32_t logical = 512, physical = 512;
};

probe::Survey survey_with(const Evidence& evidence) {
  probe::Survey survey;
  survey.disk.path = "/dev/sda";
  survey.disk.sectors = {evidence.logical, evidence.physical};
  survey.contents.boot.bios = evidence.bios;
  survey.contents.boot.bios_reason = "boot code in sector 0";
  if (evidence.vendor) survey.contents.boot.loaders.push_back({2, "/EFI/debian/shimx64.efi", false});
  if (evidence.removable) survey.contents.boot.loaders.push_back({2, "/EFI/BOOT/BOOTX64.EFI", true});
  return survey;
}

Firmware firmware_for(const Evidence& evidence) { return advise(survey_with(evidence), roomy).hardware.firmware; }

Bus bus_for(SystemFamily family, Verdict virtio) {
  auto survey = survey_with({.bios = true});
  probe::System system;
  system.name = "System";
  system.family = family;
  system.virtio = virtio;
  survey.contents.systems = {system};
  return advise(survey, roomy).hardware.bus;
}

}  // namespace

TEST_CASE("a logical sector of 4096 bytes needs UEFI, whatever else is there") {
  CHECK(firmware_for({.bios = true, .logical = 4096, .physical = 4096}) == Firmware::uefi);
  CHECK(firmware_for({.logical = 4096, .physical = 4096}) == Firmware::uefi);
}

TEST_CASE("a physical sector of 4096 bytes prefers UEFI where a loader is in the ESP") {
  CHECK(firmware_for({.bios = true, .removable = true, .physical = 4096}) == Firmware::uefi);
  CHECK(firmware_for({.bios = true, .vendor = true, .physical = 4096}) == Firmware::uefi);
  CHECK(firmware_for({.bios = true, .physical = 4096}) == Firmware::bios);
}

TEST_CASE("a disk that boots both ways boots by BIOS, which needs no variables") {
  CHECK(firmware_for({.bios = true, .removable = true}) == Firmware::bios);
}

TEST_CASE("a loader that only a boot entry leads to serves as well, and the entry is told of") {
  CHECK(firmware_for({.bios = true, .vendor = true}) == Firmware::bios);
  const auto advice = advise(survey_with({.vendor = true}), roomy);
  CHECK(advice.hardware.firmware == Firmware::uefi);
  REQUIRE(advice.findings.size() == 1);
  CHECK(advice.findings[0].id == "uefi-needs-boot-entry");
  CHECK(advice.findings[0].severity == base::Severity::note);
  CHECK_THAT(advice.findings[0].message, Catch::Contains("/EFI/debian/shimx64.efi"));
  CHECK(advise(survey_with({.removable = true, .vendor = true}), roomy).findings.empty());
}

TEST_CASE("without any evidence the machine boots by BIOS and says why") {
  const auto advice = advise(survey_with({}), roomy);
  CHECK(advice.hardware.firmware == Firmware::bios);
  CHECK(advice.hardware.because[0] == "BIOS: nothing on the disk says how it boots");
}

TEST_CASE("UEFI without a loader is warned of") {
  const auto advice = advise(survey_with({.bios = true, .logical = 4096}), roomy);
  REQUIRE(advice.findings.size() == 1);
  CHECK(advice.findings[0].id == "uefi-no-loader");
}

TEST_CASE("memory is half of what is free, between 512 MiB and 4 GiB") {
  CHECK(advise(survey_with({}), {16 * GiB, 1}).hardware.memory_bytes == 4 * GiB);
  CHECK(advise(survey_with({}), {3 * GiB, 1}).hardware.memory_bytes == 1536 * MiB);
  CHECK(advise(survey_with({}), {100 * MiB, 1}).hardware.memory_bytes == 512 * MiB);
}

TEST_CASE("processors are the host's, up to four and never none") {
  CHECK(advise(survey_with({}), {GiB, 64}).hardware.cpus == 4);
  CHECK(advise(survey_with({}), {GiB, 2}).hardware.cpus == 2);
  CHECK(advise(survey_with({}), {GiB, 0}).hardware.cpus == 1);
}

TEST_CASE("virtio where the system knows it, SATA where it may not") {
  CHECK(bus_for(SystemFamily::linux, Verdict::unknown) == Bus::virtio);
  CHECK(bus_for(SystemFamily::linux, Verdict::no) == Bus::sata);
  CHECK(bus_for(SystemFamily::windows, Verdict::unknown) == Bus::sata);
  CHECK(bus_for(SystemFamily::windows, Verdict::yes) == Bus::virtio);
  auto windows = survey_with({});
  windows.contents.partitions.push_back({.filesystem = "ntfs"});
  CHECK(advise(windows, roomy).hardware.bus == Bus::sata);
  CHECK(advise(survey_with({}), roomy).hardware.bus == Bus::virtio);
}

TEST_CASE("no Linux is thought of where nothing says that there is one") {
  auto other = survey_with({});
  other.contents.table = probe::TableKind::gpt;
  other.contents.partitions.push_back({.filesystem = "befs"});
  const auto hardware = advise(other, roomy).hardware;
  CHECK(hardware.bus == Bus::sata);
  CHECK(nic_of(hardware) == Nic::e1000e);
  CHECK(hardware.because[1].find("Linux") == std::string::npos);
  other.contents.partitions.push_back({.filesystem = "ext4"});
  CHECK(advise(other, roomy).hardware.bus == Bus::virtio);
  CHECK(bus_for(SystemFamily::unknown, Verdict::unknown) == Bus::sata);
  CHECK(bus_for(SystemFamily::bsd, Verdict::unknown) == Bus::sata);
}

TEST_CASE("the bus is one on which the disk has the name that the start looks for, where the system can drive it") {
  auto survey = survey_with({.bios = true});
  probe::System system;
  system.family = SystemFamily::linux;
  const auto bus_of = [&](std::vector<Bus> named, const std::vector<std::pair<Bus, Verdict>>& drivers) {
    system.named_buses = std::move(named);
    system.drivers.clear();
    for (const auto& [bus, verdict] : drivers) {
      system.drivers.push_back({bus, verdict, "x"});
      if (bus == Bus::virtio) system.virtio = verdict;
    }
    survey.contents.systems = {system};
    return advise(survey, roomy).hardware.bus;
  };
  using enum Verdict;
  const std::vector<std::pair<Bus, Verdict>> all = {
      {Bus::virtio, yes}, {Bus::scsi, yes}, {Bus::sata, yes}, {Bus::nvme, yes}, {Bus::ide, yes}};
  CHECK(bus_of({}, all) == Bus::virtio);
  CHECK(bus_of({Bus::nvme}, all) == Bus::nvme);
  CHECK(bus_of({Bus::scsi, Bus::sata}, all) == Bus::sata);
  CHECK(bus_of({Bus::ide}, all) == Bus::ide);
  CHECK(bus_of({Bus::ide}, {{Bus::virtio, no}, {Bus::sata, no}, {Bus::ide, unknown}}) == Bus::ide);
  CHECK(bus_of({Bus::sata}, {{Bus::virtio, yes}, {Bus::sata, no}}) == Bus::virtio);
  CHECK(bus_of({}, {{Bus::virtio, no}, {Bus::sata, no}, {Bus::ide, yes}}) == Bus::ide);
  survey.contents.boot.bios = false;
  survey.contents.boot.loaders = {{1, "/EFI/BOOT/BOOTX64.EFI", true}};
  CHECK(bus_of({Bus::ide}, all) == Bus::virtio);
}

TEST_CASE("a Windows gets its clock in local time and the interfaces of Hyper-V, another system neither") {
  auto survey = survey_with({.bios = true});
  probe::System system;
  system.family = SystemFamily::windows;
  survey.contents.systems = {system};
  const auto windows = advise(survey, roomy).hardware;
  CHECK(windows.clock == Clock::localtime);
  CHECK(windows.hyperv);
  survey.contents.systems[0].family = SystemFamily::linux;
  const auto linux_one = advise(survey, roomy).hardware;
  CHECK(linux_one.clock == Clock::utc);
  CHECK_FALSE(linux_one.hyperv);
}

TEST_CASE("every choice has its reason") {
  CHECK(advise(survey_with({.bios = true}), roomy).hardware.because.size() == 4);
}

TEST_CASE("the network card is one that the system has a driver for") {
  struct Case {
    std::vector<probe::NicEvidence> nics;
    Verdict virtio;
    std::string model, because;
  };
  const Case cases[] = {
      {{{Nic::virtio, Verdict::yes, "it is there"}}, Verdict::no, "virtio-net", "virtio-net: it is there"},
      {{{Nic::virtio, Verdict::no, "a"}, {Nic::e1000e, Verdict::no, "b"}, {Nic::e1000, Verdict::yes, "c"}},
       Verdict::yes,
       "e1000",
       "e1000: c"},
      {{{Nic::virtio, Verdict::no, "a"}, {Nic::e1000e, Verdict::unknown, "b"}, {Nic::e1000, Verdict::no, "c"}},
       Verdict::yes,
       "e1000e",
       "e1000e: b"},
      {{{Nic::virtio, Verdict::unknown, "a"}, {Nic::e1000e, Verdict::no, "b"}, {Nic::e1000, Verdict::no, "c"}},
       Verdict::no,
       "virtio-net",
       "virtio-net: a"},
      {{{Nic::virtio, Verdict::unknown, "a"}, {Nic::e1000e, Verdict::unknown, "b"}},
       Verdict::no,
       "e1000e",
       "e1000e: what has no virtio driver for its disk may have none for the network"},
      {{{Nic::virtio, Verdict::no, "a"}, {Nic::e1000e, Verdict::no, "b"}},
       Verdict::yes,
       "virtio-net",
       "4 of 8 processors"},
      {{}, Verdict::yes, "virtio-net", "4 of 8 processors"},
  };
  for (const Case& each : cases) {
    auto survey = survey_with({.bios = true});
    probe::System system;
    system.family = SystemFamily::linux;
    system.virtio = each.virtio;
    system.nics = each.nics;
    survey.contents.systems = {system};
    const auto hardware = advise(survey, roomy).hardware;
    CAPTURE(each.because);
    CHECK(word(nic_of(hardware)) == each.model);
    CHECK(hardware.because.back() == each.because);
  }
}

TEST_CASE("a network card that is known stays when the machine gets another bus, another goes with it") {
  Hardware hardware;
  hardware.bus = Bus::sata;
  CHECK(nic_of(hardware) == Nic::e1000e);
  hardware.nic = Nic::virtio;
  CHECK(nic_of(hardware) == Nic::virtio);
}
