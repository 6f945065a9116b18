// Windows by its registry: hives with what real ones have at these places, made by libhivex.
#include <fmt/core.h>
#include <algorithm>

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "probe/systems/systems.hpp"
#include "probe/systems/windows_hibernation.hpp"
#include "support/memory_files.hpp"
#include "support/registry_hive.hpp"

namespace hrvm::probe {
namespace {

using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

const std::string config = "/Windows/System32/config/";

// What a test gives of a system.
struct Windows {
  std::string release;  // lines of CurrentVersion
  std::string system;   // keys of SYSTEM
  std::vector<std::string> drivers = {};
  std::map<std::string, std::string> files = {};
};

struct Detected {
  std::optional<System> system;
  std::vector<base::Finding> findings;

  std::string verdict(std::string_view bus) const {
    const auto found = std::ranges::find(system->drivers, from_word<Bus>(bus), &DriverEvidence::bus);
    return found == system->drivers.end() ? "" : fmt::format("{}: {}", word(found->verdict), found->because);
  }
  Words ids() const {
    Words told;
    for (const auto& finding : findings) told.push_back(finding.id);
    return told;
  }
};

Detected detect(test::MemoryFiles& files) {
  Detected detected;
  detected.system = detect_windows({files, "p3", detected.findings});
  return detected;
}

test::MemoryFiles root_of(const Windows& windows) {
  test::MemoryFiles files(test::Names::ignoring_case);
  files.add("/Windows/System32/ntoskrnl.exe", "MZ");
  files.add(config + "SOFTWARE", test::hive_bytes("[\\Microsoft\\Windows NT\\CurrentVersion]\n" + windows.release));
  files.add(config + "SYSTEM", test::hive_bytes(windows.system));
  for (const auto& driver : windows.drivers) files.add("/Windows/System32/drivers/" + driver + ".sys", "MZ");
  for (const auto& [path, bytes] : windows.files) files.add(path, bytes);
  return files;
}

Detected detect(const Windows& windows) {
  auto files = root_of(windows);
  return detect(files);
}

const std::string select_1 = "[\\Select]\n\"Current\"=dword:00000001\n\n";

std::string service(const std::string& name, int start, const std::string& more = "") {
  return "[\\ControlSet001\\Services\\" + name + "]\n\"Start\"=dword:0000000" + std::to_string(start) + "\n" + more +
         "\n";
}

std::string overridden(const std::string& name) {
  return service(name, 0) + "[\\ControlSet001\\Services\\" + name + "\\StartOverride]\n\"0\"=dword:00000003\n\n";
}

const std::string eleven = R"("ProductName"="Windows 10 Pro"
"DisplayVersion"="23H2"
"ReleaseId"="2009"
"EditionID"="Professional"
"CurrentVersion"="6.3"
"CurrentBuildNumber"="22631"
"CurrentBuild"="22631"
"CurrentMajorVersionNumber"=dword:0000000a
"CurrentMinorVersionNumber"=dword:00000000
"UBR"=dword:00000bbf
)";

// The first page of hiberfil.sys as 64-bit Windows writes it.
std::string hibernation(const std::string& signature, std::uint32_t length, std::size_t hiberboot = 0) {
  const base::le32 size = length;
  std::string header(4096, '\0');
  header.replace(0, signature.size(), signature);
  std::memcpy(header.data() + 12, &size, sizeof size);
  if (hiberboot) header[hiberboot] = 1;
  return header;
}

}  // namespace

TEST_CASE("Windows 11 is called so by its build, whatever its registry says") {
  const auto detected = detect(Windows{eleven, select_1});
  REQUIRE(detected.system);
  const System& system = *detected.system;
  CHECK(system.id == "windows");
  CHECK(system.family == SystemFamily::windows);
  CHECK(system.name == "Windows 11 Pro");
  CHECK(system.version == "10.0.22631.3007");
  CHECK(system.pretty == "Windows 11 Pro 23H2 (build 22631.3007)");
  CHECK(detected.findings.empty());
}

TEST_CASE("releases from Windows 7 to Server 2022 are told as Microsoft calls them") {
  struct Case {
    std::string release, version, pretty;
  };
  const std::vector<Case> cases = {
      {R"("ProductName"="Windows 7 Professional"
"CSDVersion"="Service Pack 1"
"CurrentVersion"="6.1"
"CurrentBuildNumber"="7601"
)",
       "6.1.7601", "Windows 7 Professional Service Pack 1 (build 7601)"},
      {R"("ProductName"="Windows 8.1 Enterprise"
"CurrentVersion"="6.3"
"CurrentBuildNumber"="9600"
"UBR"=dword:00004cd7
)",
       "6.3.9600.19671", "Windows 8.1 Enterprise (build 9600.19671)"},
      {R"("ProductName"="Windows 10 Enterprise LTSC 2019"
"ReleaseId"="1809"
"CurrentBuildNumber"="17763"
"CurrentMajorVersionNumber"=dword:0000000a
"CurrentMinorVersionNumber"=dword:00000000
"UBR"=dword:00000001
)",
       "10.0.17763.1", "Windows 10 Enterprise LTSC 2019 1809 (build 17763.1)"},
      {R"("ProductName"="Windows Server 2022 Standard"
"DisplayVersion"="21H2"
"CurrentBuildNumber"="20348"
"CurrentMajorVersionNumber"=dword:0000000a
"CurrentMinorVersionNumber"=dword:00000000
"UBR"=dword:0000091f
)",
       "10.0.20348.2335", "Windows Server 2022 Standard 21H2 (build 20348.2335)"},
      {R"("EditionID"="ServerStandard"
"CurrentBuild"="26100"
"CurrentMajorVersionNumber"=dword:0000000a
)",
       "10.0.26100", "Windows ServerStandard (build 26100)"},
  };
  for (const auto& each : cases) {
    const auto detected = detect(Windows{each.release, select_1});
    CHECK(detected.system->pretty == each.pretty);
    CHECK(detected.system->version == each.version);
  }
}

TEST_CASE("settings are those of the control set that Windows will start with") {
  const auto detected = detect(Windows{eleven, R"([\Select]
"Current"=dword:00000002

[\ControlSet001\Services\Tcpip\Parameters]
"NV Hostname"="old"

[\ControlSet002\Services\Tcpip\Parameters]
"NV Hostname"="Desk-7"
"Hostname"="desk"

[\ControlSet002\Control\ComputerName\ComputerName]
"ComputerName"="DESK-7"
)"});
  CHECK(detected.system->hostname == "Desk-7");
  const auto by_name = detect(Windows{eleven, select_1 + R"([\ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="WIN-ABC"
)"});
  CHECK(by_name.system->hostname == "WIN-ABC");
}

TEST_CASE("a bus is one to start from when its driver is there and starts at boot") {
  const auto detected = detect(Windows{
      eleven,
      select_1 + service("viostor", 0, "\"ImagePath\"=\"\\\\SystemRoot\\\\System32\\\\drivers\\\\viostor.sys\"\n") +
          overridden("storahci") + service("stornvme", 3) + service("vioscsi", 0) + service("intelide", 0) +
          service("atapi", 0),
      {"viostor", "storahci", "stornvme", "intelide", "atapi"}});
  CHECK(detected.system->virtio == Verdict::yes);
  CHECK(detected.verdict("virtio") == "yes: viostor starts at boot");
  CHECK(detected.verdict("sata") == "no: StartOverride keeps storahci from starting at boot");
  CHECK(detected.verdict("nvme") == "no: stornvme does not start at boot (its Start is 3)");
  CHECK(detected.verdict("scsi") == "no: /Windows/System32/drivers/vioscsi.sys, the file of vioscsi, is missing");
  CHECK(detected.verdict("ide") == "yes: intelide starts at boot");
}

TEST_CASE("a network card that Windows knows has a driver, its own or one that was installed") {
  struct Case {
    std::string release, services;
    Words drivers, nics;
  };
  const std::string seven = "\"CurrentVersion\"=\"6.1\"\n\"CurrentBuildNumber\"=\"7601\"\n",
                    unknown = "\"CurrentBuildNumber\"=\"7601\"\n",
                    no_virtio = "virtio-net: no: Windows has no driver netkvm";
  const std::vector<Case> cases = {
      {eleven, service("netkvm", 3), {"netkvm"}, {"virtio-net: yes: Windows has the driver netkvm"}},
      {eleven, service("netkvm", 3), {}, {no_virtio, "e1000e: yes: Windows 10.0 brings a driver for it"}},
      {eleven, service("netkvm", 4), {"netkvm"}, {no_virtio, "e1000e: yes: Windows 10.0 brings a driver for it"}},
      {seven,
       "",
       {},
       {no_virtio, "e1000e: unknown: Windows may have no driver for e1000e",
        "e1000: yes: Windows 6.1 brings a driver for it"}},
      {seven, service("e1i63x64", 3), {"e1i63x64"}, {no_virtio, "e1000e: yes: Windows has the driver e1i63x64"}},
      {unknown,
       "",
       {},
       {no_virtio, "e1000e: unknown: Windows may have no driver for e1000e",
        "e1000: unknown: Windows may have no driver for e1000", "rtl8139: no: Windows has no driver RTL8023x64"}},
  };
  for (const auto& each : cases) {
    CAPTURE(each.release, each.services);
    const auto detected = detect(Windows{each.release, select_1 + each.services, each.drivers});
    Words told;
    for (const auto& nic : detected.system->nics)
      told.push_back(fmt::format("{}: {}: {}", word(nic.model), word(nic.verdict), nic.because));
    CHECK(told == each.nics);
  }
}

TEST_CASE("Windows 7 starts from AHCI by msahci, and knows neither virtio nor NVMe") {
  const auto detected = detect(Windows{"\"ProductName\"=\"Windows 7\"\n\"CurrentBuildNumber\"=\"7601\"\n",
                                       select_1 + service("msahci", 0) + service("pciide", 0) + service("atapi", 3),
                                       {"msahci", "pciide", "atapi"}});
  CHECK(detected.verdict("sata") == "yes: msahci starts at boot");
  CHECK(detected.verdict("ide") == "no: atapi does not start at boot (its Start is 3)");
  CHECK(detected.verdict("nvme") == "no: Windows has no driver stornvme");
  CHECK(detected.system->virtio == Verdict::no);
}

TEST_CASE("hibernation and Fast Startup are told apart by the header of hiberfil.sys, for each Windows") {
  CHECK(hibernation_in(hibernation("hibr", 0x128)) == Hibernation::hibernated);  // Windows 7
  CHECK(hibernation_in(hibernation("HIBR", 0x3e0)) == Hibernation::hibernated);
  CHECK(hibernation_in(hibernation("HIBR", 0x360, 0x2fc)) == Hibernation::fast_startup);
  CHECK(hibernation_in(hibernation("HIBR", 0x3e0, 0x364)) == Hibernation::fast_startup);
  CHECK(hibernation_in(hibernation("HIBR", 0x448, 0x3cc)) == Hibernation::fast_startup);
  CHECK(hibernation_in(hibernation("HIBR", 0x448, 0x364)) == Hibernation::hibernated);
  CHECK(hibernation_in(hibernation("HIBR", 0x999, 0x364)) == Hibernation::hibernated);
  CHECK(hibernation_in(hibernation("WAKE", 0x3e0, 0x364)) == Hibernation::none);
  CHECK(hibernation_in(std::string(4096, '\0')) == Hibernation::none);
  CHECK(hibernation_in("HIBR") == Hibernation::none);
}

TEST_CASE("what would bite in a machine is told with its remedy") {
  const std::string power = "[\\ControlSet001\\Control\\Session Manager\\Power]\n\"HiberbootEnabled\"=dword:00000001\n";
  const auto told = [&](const std::string& header) {
    return detect(Windows{eleven, select_1 + power, {}, {{"/hiberfil.sys", header}}});
  };
  const auto hibernated = told(hibernation("HIBR", 0x448));
  CHECK(hibernated.system->hibernated);
  CHECK(hibernated.ids() == Words{"hibernated"});
  CHECK_THAT(hibernated.findings[0].remedy, Contains("shutdown /s /t 0"));
  CHECK(hibernated.findings[0].subject == "p3");
  const auto fast = told(hibernation("HIBR", 0x448, 0x3cc));
  CHECK(fast.system->hibernated);
  CHECK(fast.ids() == Words{"fast-startup"});
  CHECK(fast.findings[0].severity == base::Severity::warning);
  const auto awake = told(std::string(4096, '\0'));
  CHECK_FALSE(awake.system->hibernated);
  CHECK(awake.ids() == Words{"fast-startup"});
  CHECK(awake.findings[0].severity == base::Severity::note);
}

TEST_CASE("a registry that was being written, or cannot be read, is told, and the system still named") {
  auto files = root_of({eleven, select_1 + service("viostor", 0), {"viostor"}});
  auto hive = files.read(config + "SYSTEM", 0, 1 << 20);
  hive[4] = 'x';
  files.add(config + "SYSTEM", hive);
  files.add(config + "SYSTEM.LOG1", "");
  const auto unclean = detect(files);
  CHECK(unclean.ids() == Words{"registry-unclean"});
  CHECK(unclean.system->virtio == Verdict::yes);
  files.add(config + "SYSTEM", "not a hive");
  const auto damaged = detect(files);
  CHECK(damaged.ids() == Words{"registry-damaged"});
  CHECK(damaged.system->name == "Windows 11 Pro");
  CHECK(damaged.system->virtio == Verdict::unknown);
  CHECK(damaged.system->drivers.empty());
}

TEST_CASE("a data disk, a recovery partition and a boot partition of Windows are no systems") {
  test::MemoryFiles data({{"/Windows/readme.txt", "x"}}, test::Names::ignoring_case);
  CHECK_FALSE(detect(data).system);
  test::MemoryFiles recovery({{"/Recovery/WindowsRE/Winre.wim", "MSWIM"}}, test::Names::ignoring_case);
  CHECK_FALSE(detect(recovery).system);
  test::MemoryFiles boot({{"/bootmgr", "x"}, {"/Boot/BCD", "regf"}}, test::Names::ignoring_case);
  CHECK_FALSE(detect(boot).system);
}

}  // namespace hrvm::probe
