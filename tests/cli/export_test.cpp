#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"
#include "support/recorded_machines.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

constexpr std::uint64_t in_p1 = 2 << 20;

// The machine's guest wrote A, was kept as "fresh", and wrote C over it.
void make_web(MachineStore& store) {
  store.add("web");
  store.guest_writes("web", in_p1, 'A');
  store.snapshot("web", "fresh");
  store.guest_writes("web", in_p1, 'C');
}

std::string out(MachineStore& store, const std::string& name) { return store.folder() / name; }

char letter(const std::string& file, image::ImageFormat format, std::uint64_t offset) {
  return char(image::open_image(file, format)->read(offset, 1)[0]);
}

std::string bytes(const std::filesystem::path& file) { return sys::read_file(file, 16 << 20); }

// Nothing of a failed export is left but the base and the store.
bool nothing_left(const MachineStore& store) {
  return store.folder().names() == std::vector<std::string>{"base.img", "store"};
}

}  // namespace

TEST_CASE("a raw export holds what the guest saw, on top of all of the base") {
  MachineStore store;
  make_web(store);
  REQUIRE(store.run({"export", "web", out(store, "web.raw"), "--format", "raw"}) == 0);
  auto expected = bytes(store.base());
  expected.replace(in_p1, 4096, std::string(4096, 'C'));
  CHECK(bytes(out(store, "web.raw")) == expected);
  CHECK(sys::status(out(store, "web.raw")).mode == 0600);
}

TEST_CASE("a qcow2 export needs neither layers nor base") {
  MachineStore store;
  make_web(store);
  const auto file = out(store, "web.qcow2");
  const auto result = store.json({"export", "web", file});
  CHECK(result["format"] == "qcow2");
  CHECK(result["virtual_bytes"] == (8 << 20));
  CHECK_FALSE(image::read_info(file).backing);
  CHECK(letter(file, image::ImageFormat::qcow2, in_p1) == 'C');
  CHECK(letter(file, image::ImageFormat::qcow2, in_p1 + 4096) == 'B');
}

TEST_CASE("a snapshot is exported as it was, also while the machine runs") {
  MachineStore store;
  make_web(store);
  const auto running = store.runs("web");
  const auto file = out(store, "fresh.raw");
  REQUIRE(store.run({"export", "web@fresh", file, "--format=raw"}) == 0);
  CHECK(letter(file, image::ImageFormat::raw, in_p1) == 'A');
}

TEST_CASE("a machine that runs is not exported") {
  MachineStore store;
  make_web(store);
  const auto running = store.runs("web");
  auto transcript = store.transcript("export/running");
  CHECK(transcript.run({"export", "web", out(store, "web.raw")}) == 1);
  transcript.check();
  CHECK(nothing_left(store));
}

TEST_CASE("what is there already stays, unless --force is given") {
  MachineStore store;
  make_web(store);
  const auto file = store.folder().write("there", "precious").string();
  CHECK(store.run({"export", "web", file}) == 1);
  CHECK(store.host().err.str().find("--force") != std::string::npos);
  CHECK(bytes(file) == "precious");
  CHECK(store.run({"export", "web", file, "--force", "--dry-run"}) == 0);
  CHECK(bytes(file) == "precious");
  CHECK(store.run({"export", "web", file, "--force", "--format", "raw", "--quiet"}) == 0);
  CHECK(bytes(file).size() == (8 << 20));
}

TEST_CASE("no option lets an export replace a base, or write into the store") {
  MachineStore store;
  make_web(store);
  const auto before = bytes(store.base());
  std::filesystem::create_symlink("base.img", out(store, "link"));
  for (const auto& file : {store.base().string(), out(store, "link"), out(store, "store/web/layers/x.qcow2"),
                           out(store, "store/web.raw")}) {
    INFO(file);
    CHECK(store.run({"export", "web", file, "--force"}) == 4);
  }
  CHECK(bytes(store.base()) == before);
}

TEST_CASE("an export goes to a regular file in a folder that is there") {
  MachineStore store;
  make_web(store);
  auto transcript = store.transcript("export/bad_target");
  transcript.run({"export", "web", store.folder().path()});
  transcript.run({"export", "web", "/dev/null", "--force"});
  transcript.run({"export", "web", out(store, "nowhere/web.raw")});
  transcript.run({"export", "web", out(store, "web.vdi"), "--format", "vdi"});
  transcript.check();
}

TEST_CASE("a base that moved is exported with --force alone") {
  MachineStore store;
  make_web(store);
  store.base_is_written(0x8000, 'X');
  auto transcript = store.transcript("export/drifted");
  CHECK(transcript.run({"export", "web", out(store, "web.raw"), "--format", "raw"}) == 4);
  transcript.check();
  CHECK(nothing_left(store));
  CHECK(store.run({"export", "web", out(store, "web.raw"), "--format", "raw", "--force"}) == 0);
  CHECK(store.host().err.str().find("warning") != std::string::npos);
  CHECK(letter(out(store, "web.raw"), image::ImageFormat::raw, 0x8000) == 'X');
}

TEST_CASE("without its base a machine cannot be exported, not even with --force") {
  MachineStore store;
  make_web(store);
  std::filesystem::remove(store.base());
  CHECK(store.run({"export", "web", out(store, "web.raw"), "--force"}) == 1);
  CHECK_FALSE(std::filesystem::exists(out(store, "web.raw")));
}

TEST_CASE("an export that fails half-way leaves nothing behind") {
  MachineStore store;
  make_web(store);
  const auto layer = store.machine("web").active_layer();
  // The entry of the cluster that the guest wrote leads out of the file: found when its turn comes.
  const auto image = bytes(layer);
  const auto at = [&](std::uint64_t offset) {
    return base::load<base::be64>(std::as_bytes(std::span(image)), std::size_t(offset));
  };
  constexpr std::uint64_t l1_table_offset = 40, offset_bits = 0x00fffffffffffe00, l2_entry_bytes = 16;
  const std::uint64_t l2_table = at(at(l1_table_offset)) & offset_bits;
  const base::be64 beyond = 0x8000'0000'4000'0000;
  const auto entry = l2_table + in_p1 / (128 << 10) * l2_entry_bytes;
  test::write_at(layer, entry, std::as_bytes(std::span(&beyond, 1)));
  for (const auto format : {"raw", "qcow2"}) {
    CHECK(store.run({"export", "web", out(store, "web.img"), "--format", format}) == 1);
    CHECK(store.host().err.str().find(layer.string()) != std::string::npos);
    CHECK(nothing_left(store));
  }
}

TEST_CASE("no option lets an export be written to the disk that it reads") {
  MachineStore store(test::recorded_machine("laptop").root());
  store.add_on_disk("debian", "/dev/nvme0n1");
  auto transcript = store.transcript("export/onto_the_disk");
  CHECK(transcript.run({"export", "debian", "/debian.qcow2", "--dry-run"}) == 4);
  CHECK(transcript.run({"export", "debian", "/debian.qcow2", "--dry-run", "--force"}) == 4);
  CHECK(transcript.run({"export", "debian", "/tmp/debian.qcow2", "--dry-run", "--force", "--quiet"}) == 0);
  transcript.check();
}

namespace {

constexpr auto host_disk = "/dev/disk/by-id/nvme-SAMSUNG_MZVLB256HBHQ-000L7_S4ELNX0M123456";
constexpr auto second_disk = "/dev/disk/by-id/ata-CT500MX500SSD1_2021E2ABCDEF";

}  // namespace

TEST_CASE("another disk is told with what it holds before it is overwritten") {
  MachineStore store(test::recorded_machine("server").root());
  store.add_on_disk("proxmox", "/dev/sda");
  auto transcript = store.transcript("export/to_disk");
  CHECK(transcript.run({"export", "proxmox", "--to", second_disk, "--dry-run"}) == 0);
  CHECK(transcript.run({"export", "proxmox", "--to", second_disk, "--dry-run", "--json"}) == 0);
  transcript.check();
}

TEST_CASE("no option lets an export be written onto a disk that is not surely the one that is meant") {
  MachineStore store(test::recorded_machine("server").root());
  store.add_on_disk("proxmox", "/dev/sda");
  auto transcript = store.transcript("export/to_disk_refused");
  const auto refused = [&](const std::string& disk) {
    return transcript.run({"export", "proxmox", "--to", disk, "--force", "--yes", "2021E2ABCDEF", "--dry-run"});
  };
  CHECK(refused("/dev/disk/by-id/ata-Samsung_SSD_870_EVO_250GB_S5Y1NJ0R123456") == 4);
  CHECK(refused("/dev/sdb") == 4);
  CHECK(refused("/dev/sdb2") == 4);
  CHECK(refused("/dev/disk/by-id/usb-SanDisk_Ultra_Fit_4C530001234567890123-0:0") == 4);
  CHECK(refused("/dev/loop0") == 1);
  CHECK(refused("/dev/disk/by-id/ata-Nothing") == 1);
  CHECK(refused(store.folder().write("file", "text").string()) == 1);
  CHECK(refused(store.folder().path().string()) == 1);
  transcript.check();
}

TEST_CASE("the disk that the host runs from is never written onto") {
  MachineStore store(test::recorded_machine("laptop").root());
  store.add_on_disk("debian", "/dev/nvme0n1");
  auto transcript = store.transcript("export/to_host_disk");
  CHECK(transcript.run({"export", "debian", "--to", host_disk, "--force", "--quiet"}) == 4);
  transcript.check();
}

TEST_CASE("a disk is confirmed by typing its serial number") {
  MachineStore store(test::recorded_machine("server").root());
  store.add_on_disk("proxmox", "/dev/sda");
  auto transcript = store.transcript("export/to_disk_asked");
  CHECK(transcript.run({"export", "proxmox", "--to", second_disk}) == 2);
  CHECK(transcript.run({"export", "proxmox", "--to", second_disk, "--yes", "S5Y1NJ0R123456"}) == 4);
  CHECK(transcript.run({"export", "proxmox", "--to", second_disk, "--yes="}) == 4);
  store.host().use_terminal();
  for (const auto* typed : {"y\n", "yes\n", "\n", "", "2021e2abcdef\n"}) {
    store.host().type(typed);
    CHECK(transcript.run({"export", "proxmox", "--to", second_disk}) == 4);
  }
  transcript.check();
}

TEST_CASE("where to an export goes is said once") {
  MachineStore store;
  make_web(store);
  auto transcript = store.transcript("export/where_to");
  CHECK(transcript.run({"export", "web"}) == 2);
  CHECK(transcript.run({"export", "web", out(store, "web.raw"), "--to", "/dev/loop0"}) == 2);
  CHECK(transcript.run({"export", "web", "--to", "/dev/loop0", "--format", "qcow2"}) == 2);
  CHECK(transcript.run({"export", "web", out(store, "web.raw"), "--yes", "S2"}) == 2);
  transcript.check();
}

TEST_CASE("a machine that runs is not written onto a disk") {
  MachineStore store(test::recorded_machine("server").root());
  store.add_on_disk("proxmox", "/dev/sda");
  const auto running = store.runs("proxmox");
  CHECK(store.run({"export", "proxmox", "--to", second_disk, "--dry-run"}) == 1);
  CHECK(store.host().err.str().find("running") != std::string::npos);
}
