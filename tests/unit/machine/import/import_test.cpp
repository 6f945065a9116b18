#include "hrvm/machine/import.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/disk_image.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using base::Error;
using base::ErrorKind;

namespace {

probe::System debian() {
  probe::System system;
  system.id = "debian";
  system.name = "Debian GNU/Linux";
  system.pretty = "Debian GNU/Linux 12 (bookworm)";
  system.family = probe::SystemFamily::linux;
  system.hostname = "Web.Example";
  return system;
}

ImportCircumstances usual() {
  ImportCircumstances usual;
  auto& survey = usual.surveys.emplace_back();
  auto& disk = survey.disk;
  disk.path = "/dev/sda";
  disk.stable_path = "/dev/disk/by-id/ata-Disk_S1";
  disk.size_bytes = 240 * base::GiB;
  disk.serial = "S1";
  survey.contents.table = probe::TableKind::gpt;
  survey.contents.table_uuid = "8a6ff2a8-1f0b-4a6e-9d4f-0b8a1c2d3e4f";
  survey.contents.boot.bios = true;
  survey.contents.systems = {debian()};
  usual.storage = {.filesystem = "ext4",
                   .mount_point = "/",
                   .total_bytes = 100 * base::GiB,
                   .used_bytes = 50 * base::GiB,
                   .available_bytes = 50 * base::GiB,
                   .disks = {"/dev/sdb"},
                   .alternatives = {"/mnt/data (9 GiB free)"}};
  usual.host = {8 * base::GiB, 4};
  usual.drawn = {at("2026-03-01T12:00:00Z"), "00000000000000a1", "00000000000000f1"};
  usual.uuid = *base::Guid::parse("0f0e0d0c-0b0a-4908-8706-050403020100");
  usual.mac = "52:54:00:aa:bb:cc";
  return usual;
}

ImportCircumstances on_qcow2() {
  auto circumstances = usual();
  auto& disk = circumstances.surveys[0].disk;
  disk.kind = probe::DiskKind::image;
  disk.path = disk.stable_path = "/images/web.qcow2";
  disk.format = probe::DiskFormat::qcow2;
  disk.files = {{.path = disk.path, .format = image::ImageFormat::qcow2},
                {.path = "/images/base.img", .format = image::ImageFormat::raw}};
  return circumstances;
}

Error refusal(const ImportCircumstances& circumstances, const ImportRequest& request = {}) {
  try {
    plan_import(circumstances, request);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::external, "it was planned");
}

bool warns_of(const ImportPlan& plan, std::string_view id) {
  return std::any_of(plan.findings.begin(), plan.findings.end(), [&](const auto& each) { return each.id == id; });
}

std::string name_for(const ImportCircumstances& circumstances) { return plan_import(circumstances, {}).name; }

}  // namespace

namespace {

probe::Survey second_disk() {
  probe::Survey second;
  second.disk.path = second.disk.stable_path = "/images/second.img";
  second.disk.kind = probe::DiskKind::image;
  second.disk.size_bytes = 20 * base::GiB;
  second.contents.table_uuid = "1a6ff2a8-1f0b-4a6e-9d4f-0b8a1c2d3e4f";
  return second;
}

probe::DiskSet group(std::vector<std::string> missing) {
  return {probe::VolumeKind::lvm, "u1", "pve", missing.empty(), missing, {}};
}

std::string refusal_of(const ImportCircumstances& circumstances, const ImportRequest& request) {
  try {
    plan_import(circumstances, request);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::refused);
    return error.message() + " | " + error.hint();
  }
}

}  // namespace

TEST_CASE("a disk and its copy in one machine are warned of, members of one set are not") {
  auto circumstances = usual();
  probe::SurveyedPartition root;
  root.partition.number = 2;
  root.filesystem = "ext4";
  root.uuid = "3F1C";
  circumstances.surveys[0].contents.partitions = {root};
  auto second = second_disk();
  second.contents.partitions = {root};
  second.contents.partitions[0].uuid = "3f1c";
  circumstances.surveys.push_back(second);
  const auto plan = plan_import(circumstances, {});
  REQUIRE(warns_of(plan, "duplicate-identity"));
  const auto finding = std::ranges::find(plan.findings, "duplicate-identity", &base::Finding::id);
  CHECK(finding->severity == base::Severity::warning);
  CHECK_THAT(finding->message, Catch::Contains("/dev/sda") && Catch::Contains("UUID=3f1c"));
  for (auto& survey : circumstances.surveys) survey.contents.partitions[0].filesystem = "linux_raid_member";
  CHECK_FALSE(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
  for (auto& survey : circumstances.surveys) survey.contents.partitions[0].partition.partuuid = "1234-01";
  CHECK(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
  for (auto& survey : circumstances.surveys)
    survey.contents.sets = {{probe::VolumeKind::md, "u1", "md:root", true, {}, {}}};
  CHECK_FALSE(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
  circumstances.surveys.pop_back();
  CHECK_FALSE(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
}

TEST_CASE("two volume groups of one name in one machine are warned of") {
  auto circumstances = usual();
  circumstances.surveys.push_back(second_disk());
  circumstances.surveys[0].contents.sets = {group({})};
  circumstances.surveys[1].contents.sets = {group({})};
  CHECK_FALSE(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
  circumstances.surveys[1].contents.sets[0].uuid = "u2";
  CHECK(warns_of(plan_import(circumstances, {}), "duplicate-identity"));
}

TEST_CASE("what is made for other processors is refused, unless one insists") {
  auto circumstances = usual();
  circumstances.surveys[0].contents.findings.push_back(
      {"other-architecture", base::Severity::warning, "/dev/sda", "it is made for arm64 processors", "use its own"});
  const auto refused = refusal(circumstances);
  CHECK(refused.kind() == ErrorKind::refused);
  CHECK_THAT(refused.message(), Catch::Contains("arm64"));
  CHECK_THAT(refused.hint(), Catch::Contains("--force-architecture"));
  ImportRequest request;
  request.force_architecture = true;
  CHECK(warns_of(plan_import(circumstances, request), "other-architecture"));
}

TEST_CASE("several disks make one machine, with a layer on each") {
  auto circumstances = usual();
  circumstances.surveys.push_back(second_disk());
  ImportRequest request;
  request.new_disks = {5 * base::GiB};
  const auto plan = plan_import(circumstances, request);
  const auto& definition = plan.change.definition;
  REQUIRE(definition.disks.size() == 3);
  CHECK(definition.disks[1].path == "/images/second.img");
  CHECK(definition.disks[1].table_uuid == "1a6ff2a8-1f0b-4a6e-9d4f-0b8a1c2d3e4f");
  CHECK(definition.disks[2].is_empty());
  const auto& layers = plan.change.new_layers;
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].image.backing->path == "/dev/disk/by-id/ata-Disk_S1");
  CHECK(layers[1].image.backing->path == "/images/second.img");
  CHECK(layers[1].image.virtual_bytes == 20 * base::GiB);
  CHECK(!layers[2].image.backing);
  CHECK(layers[2].image.virtual_bytes == 5 * base::GiB);
  for (std::size_t disk = 0; disk < layers.size(); ++disk) {
    CHECK(layers[disk].disk == disk);
    CHECK(layers[disk].id == definition.active.layer);
  }
}

TEST_CASE("a part of a set is refused with what is missing, unless that is allowed") {
  auto circumstances = usual();
  circumstances.surveys[0].contents.sets = {group({"pv1, last seen as /dev/sdb1 (20 GiB)"})};
  const auto refusal = refusal_of(circumstances, {});
  CHECK(refusal.find("/dev/sda holds a part of volume group pve; missing: pv1, last seen as /dev/sdb1") == 0);
  CHECK(refusal.find("--allow-partial") != std::string::npos);
  CHECK(refusal.find("--disk") != std::string::npos);
  ImportRequest allowed;
  allowed.allow_partial = true;
  CHECK(refusal_of(circumstances, allowed).empty());
  circumstances.surveys[0].contents.sets = {group({})};
  CHECK(refusal_of(circumstances, {}).empty());
}

TEST_CASE("what forbids the import of a disk forbids it of a further one") {
  auto circumstances = usual();
  circumstances.surveys.push_back(second_disk());
  auto& second = circumstances.surveys[1];
  second.disk.in_use = {{probe::UsedBy::mount, "/srv", true}};
  CHECK(refusal_of(circumstances, {}).find("/images/second.img is in use") == 0);
  second = second_disk();
  second.disk.files = {{.path = "/images/second.img", .format = image::ImageFormat::qcow2, .dirty = true}};
  CHECK(refusal_of(circumstances, {}).find("/images/second.img was not closed") == 0);
  second = second_disk();
  circumstances.storage.disks = {"/images/second.img"};
  CHECK(refusal_of(circumstances, {}).find("the store lies on /images/second.img itself") == 0);
  second = second_disk();
  circumstances.storage.disks.clear();
  second.contents.sets = {group({"pv0"})};
  CHECK(refusal_of(circumstances, {}).find("/images/second.img holds a part") == 0);
}

TEST_CASE("a machine on a folder has no further disks, and none has too many") {
  auto circumstances = usual();
  ImportRequest request;
  request.new_disks.assign(most_disks, base::GiB);
  CHECK_THROWS_AS(plan_import(circumstances, request), Error);
  request.new_disks.pop_back();
  CHECK_NOTHROW(plan_import(circumstances, request));
  circumstances.surveys[0].disk.kind = probe::DiskKind::directory;
  CHECK_THROWS_AS(plan_import(circumstances, request), Error);
}

TEST_CASE("an import plans one empty layer on the disk's stable path") {
  const auto plan = plan_import(usual(), {});
  REQUIRE(plan.change.new_layers.size() == 1);
  const auto& image = plan.change.new_layers[0].image;
  CHECK(image.backing->path == "/dev/disk/by-id/ata-Disk_S1");
  CHECK(image.backing->format == "raw");
  CHECK(image.virtual_bytes == 240 * base::GiB);
  CHECK(image.geometry.cluster_bytes == 128 * 1024);
  CHECK(image.geometry.extended_l2);
  CHECK(plan.findings.empty());
}

TEST_CASE("what an import plans is a definition that reads back") {
  auto definition = plan_import(usual(), {}).change.definition;
  definition.fingerprints[definition.active.layer] = sample_fingerprint();
  const auto again = definition_from_json(to_json(definition), "planned");
  CHECK(again.system == "Debian GNU/Linux 12 (bookworm)");
  CHECK(again.disks[0].serial == "S1");
  CHECK(again.disks[0].table_uuid == usual().surveys[0].contents.table_uuid);
  CHECK(again.active.hardware.mac == "52:54:00:aa:bb:cc");
}

TEST_CASE("layers of --classic are such as every QEMU reads") {
  ImportRequest request;
  request.classic = true;
  const auto plan = plan_import(usual(), request);
  CHECK_FALSE(plan.change.new_layers[0].image.geometry.extended_l2);
  CHECK(plan.change.definition.geometry.cluster_bytes == 64 * 1024);
}

TEST_CASE("a name is the guest's host name, else its system's, and a taken one gets a number") {
  CHECK(name_for(usual()) == "web.example");
  auto taken = usual();
  taken.taken_names = {"web.example", "web.example-2"};
  CHECK(name_for(taken) == "web.example-3");
  auto nameless = usual();
  nameless.surveys[0].contents.systems[0].hostname = "localhost";
  CHECK(name_for(nameless) == "debian");
  nameless.surveys[0].contents.systems.clear();
  CHECK(name_for(nameless) == "machine");
  nameless.surveys[0].disk.kind = probe::DiskKind::image;
  nameless.surveys[0].disk.path = "/images/Old Server.img";
  CHECK(name_for(nameless) == "old-server");
}

TEST_CASE("a number does not make a name too long") {
  auto circumstances = usual();
  circumstances.surveys[0].contents.systems[0].hostname = std::string(80, 'a');
  circumstances.taken_names = {std::string(63, 'a')};
  CHECK(name_for(circumstances) == std::string(61, 'a') + "-2");
}

TEST_CASE("a name that was asked for must be one and must be free") {
  ImportRequest request;
  request.name = "../x";
  CHECK(refusal(usual(), request).kind() == ErrorKind::usage);
  request.name = "web";
  auto circumstances = usual();
  circumstances.taken_names = {"web"};
  CHECK(refusal(circumstances, request).kind() == ErrorKind::exists);
}

TEST_CASE("a disk in use is refused by who uses it, unless that only reads") {
  auto circumstances = usual();
  circumstances.surveys[0].disk.in_use = {{probe::UsedBy::mount, "/mnt/old", true}};
  const auto error = refusal(circumstances);
  CHECK(error.kind() == ErrorKind::refused);
  CHECK_THAT(error.message(), Catch::Contains("mounted at /mnt/old"));
  CHECK_THAT(error.hint(), Catch::Contains("--allow-in-use"));
  ImportRequest request;
  request.allow_in_use = true;
  CHECK(warns_of(plan_import(circumstances, request), "base-in-use"));
  circumstances.surveys[0].disk.in_use = {{probe::UsedBy::qemu, "another machine", false}};
  CHECK(plan_import(circumstances, {}).findings.empty());
}

TEST_CASE("volatile storage is refused with the places that keep") {
  auto circumstances = usual();
  circumstances.storage.volatile_storage = true;
  circumstances.storage.volatile_reason = "/ is kept in memory (tmpfs)";
  const auto error = refusal(circumstances);
  CHECK(error.kind() == ErrorKind::refused);
  CHECK_THAT(error.message(), Catch::Contains("tmpfs"));
  CHECK_THAT(error.hint(), Catch::Contains("/mnt/data (9 GiB free)") && Catch::Contains("--allow-volatile"));
  ImportRequest request;
  request.allow_volatile = true;
  CHECK(warns_of(plan_import(circumstances, request), "store-volatile"));
}

TEST_CASE("low space is refused unless allowed") {
  auto circumstances = usual();
  circumstances.storage.low_space = true;
  CHECK(refusal(circumstances).kind() == ErrorKind::refused);
  CHECK_THAT(refusal(circumstances).hint(), Catch::Contains("--allow-low-space"));
  ImportRequest request;
  request.allow_low_space = true;
  CHECK(warns_of(plan_import(circumstances, request), "store-low-space"));
}

TEST_CASE("a store on the very disk is refused, and no option allows it") {
  auto circumstances = usual();
  circumstances.storage.disks = {"/dev/sda"};
  ImportRequest request;
  request.allow_in_use = request.allow_volatile = request.allow_low_space = true;
  const auto error = refusal(circumstances, request);
  CHECK(error.kind() == ErrorKind::refused);
  CHECK_THAT(error.hint(), !Catch::Contains("--allow"));
  circumstances.storage.disks = {};
  circumstances.storage.mount_point = "/mnt/old";
  circumstances.surveys[0].disk.in_use = {{probe::UsedBy::mount, "/mnt/old", true}};
  CHECK_THAT(refusal(circumstances, request).message(), Catch::StartsWith("the store lies on /dev/sda itself"));
}

TEST_CASE("an image in a container, a file that is no disk and one of no whole sectors are refused with the way out") {
  auto container = usual();
  container.surveys[0].disk.container = probe::ForeignFile{"a VDI disk image (VirtualBox)", "convert it"};
  const auto refused = refusal(container);
  CHECK(refused.kind() == ErrorKind::refused);
  CHECK(refused.message() == "/dev/sda is a VDI disk image (VirtualBox)");
  CHECK(refused.hint() == "convert it");
  container.surveys[0].disk.size_bytes = 300;  // as a descriptor of VMDK has
  CHECK(refusal(container).kind() == ErrorKind::refused);

  for (const auto* id : {"not-a-disk", "image-odd-size"}) {
    auto no_disk = usual();
    no_disk.surveys[0].contents.findings = {{id, base::Severity::error, "/dev/sda", "it is what it is", "do this"}};
    CHECK(refusal(no_disk).kind() == ErrorKind::refused);
    CHECK(refusal(no_disk).message() == "/dev/sda: it is what it is");
    CHECK(refusal(no_disk).hint() == "do this");
  }
}

TEST_CASE("each disk of a set is looked at for a container") {
  auto set = usual();
  set.surveys.push_back(set.surveys[0]);
  set.surveys[1].disk.path = set.surveys[1].disk.stable_path = "/images/second.vmdk";
  set.surveys[1].disk.container = probe::ForeignFile{"a sparse VMDK disk image (VMware)", "convert it"};
  CHECK(refusal(set).message() == "/images/second.vmdk is a sparse VMDK disk image (VMware)");
}

TEST_CASE("a qcow2 image is a base with its format written down") {
  const auto definition = plan_import(on_qcow2(), {}).change.definition;
  CHECK(definition.disks[0].format == BaseFormat::qcow2);
  CHECK(layer_on_base(definition.disks[0], definition.geometry).backing->format == "qcow2");
}

TEST_CASE("an image that is marked corrupt or dirty, also further down, is refused with a copy of what it shows") {
  for (const std::size_t index : {0u, 1u}) {
    auto corrupt = on_qcow2(), dirty = on_qcow2();
    corrupt.surveys[0].disk.files[index].corrupt = true;
    dirty.surveys[0].disk.files[index].dirty = true;
    ImportRequest request;
    request.allow_in_use = true;
    CHECK(refusal(corrupt, request).kind() == ErrorKind::corrupt);
    CHECK(refusal(dirty, request).kind() == ErrorKind::refused);
    const auto copy =
        "hrvm image convert /images/web.qcow2 /images/web.qcow2.flat && hrvm import /images/web.qcow2.flat";
    CHECK_THAT(refusal(corrupt, request).hint(), Catch::EndsWith(copy));
    CHECK_THAT(refusal(dirty, request).hint(), Catch::EndsWith(copy));
  }
}

TEST_CASE("what backs an image under a format that no header names is refused") {
  auto circumstances = on_qcow2();
  circumstances.surveys[0].disk.files[1].format_is_named = false;
  CHECK(refusal(circumstances).kind() == ErrorKind::refused);
  CHECK_THAT(refusal(circumstances).hint(),
             Catch::Contains("cp --reflink=auto /images/web.qcow2 /images/web.qcow2.copy && qemu-img rebase -u -b "
                             "/images/base.img -F raw /images/web.qcow2.copy"));
}

TEST_CASE("a store on a disk that backs the image is refused") {
  auto circumstances = on_qcow2();
  circumstances.surveys[0].disk.files[1] = {.path = "/dev/sdb", .format = image::ImageFormat::raw, .is_device = true};
  CHECK(refusal(circumstances).kind() == ErrorKind::refused);
  CHECK_THAT(refusal(circumstances).message(), Catch::StartsWith("the store lies on"));
}

TEST_CASE("what is too small for a disk is refused") {
  auto circumstances = usual();
  for (const auto size : {0u, 1u, 511u}) {
    circumstances.surveys[0].disk.size_bytes = size;
    CHECK(refusal(circumstances).kind() == ErrorKind::corrupt);
  }
}

TEST_CASE("a blank disk and one without a system import with a warning") {
  auto circumstances = usual();
  circumstances.surveys[0].contents.systems.clear();
  CHECK(warns_of(plan_import(circumstances, {}), "no-system"));
  circumstances.surveys[0].contents = {};
  CHECK(warns_of(plan_import(circumstances, {}), "disk-blank"));
}

TEST_CASE("what is asked for goes before what is advised, and says so") {
  ImportRequest request;
  request.hardware.firmware = Firmware::uefi;
  request.hardware.memory_bytes = base::GiB;
  request.hardware.cpus = 7;
  request.hardware.bus = Bus::nvme;
  request.hardware.machine = MachineType::pc;
  request.hardware.network = Network{NetworkKind::nat, ""};
  const auto hardware = plan_import(usual(), request).change.definition.active.hardware;
  CHECK(hardware.firmware == Firmware::uefi);
  CHECK(hardware.memory_bytes == base::GiB);
  CHECK(hardware.cpus == 7);
  CHECK(hardware.bus == Bus::nvme);
  CHECK(hardware.machine == MachineType::pc);
  CHECK(hardware.network.kind == NetworkKind::nat);
  CHECK(hardware.because[0] == "firmware as asked for");
}

TEST_CASE("an import that is carried out is a machine on the base") {
  const TemporaryFolder folder;
  TestHost test_host;
  const Store store(test_host.host, folder.path() / "store");
  write_file(folder.path() / "base.img", std::string(base::MiB, 'B'));
  auto circumstances = usual();
  circumstances.surveys[0].disk.path = circumstances.surveys[0].disk.stable_path =
      (folder.path() / "base.img").string();
  circumstances.surveys[0].disk.kind = probe::DiskKind::image;
  circumstances.surveys[0].disk.size_bytes = base::MiB;
  auto plan = plan_import(circumstances, {});
  plan.change.definition.fingerprints[circumstances.drawn.layer_id] = sample_fingerprint("as it was", base::MiB);
  const auto machine = apply_import(store, plan);
  CHECK(store.names() == std::vector<std::string>{"web.example"});
  CHECK_NOTHROW(store.check_files(store.load("web.example")));
  CHECK(store.garbage(machine).empty());
  const auto shown = image::open_image(machine.active_layer(), image::ImageFormat::qcow2);
  CHECK(char(shown->read(base::MiB - 1, 1)[0]) == 'B');
  CHECK_THROWS_AS(apply_import(store, plan), Error);
}

TEST_CASE("an import that fails leaves nothing behind") {
  const TemporaryFolder folder;
  TestHost test_host;
  const Store store(test_host.host, folder.path() / "store");
  auto plan = plan_import(usual(), {});
  plan.change.new_layers[0].image.backing->path = std::string(2000, 'x');  // longer than a header can name
  CHECK_THROWS_AS(apply_import(store, plan), Error);
  CHECK(sys::list_directory(store.folder()).empty());
}
