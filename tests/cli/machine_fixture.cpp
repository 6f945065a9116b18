#include "cli/machine_fixture.hpp"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/disk_writer.hpp"

namespace hrvm::test {
namespace {

constexpr std::uint64_t base_bytes = 8 * base::MiB, p1_lba = 2048, p1_last_lba = 14335;

machine::Hardware hardware() {
  machine::Hardware hardware;
  hardware.memory_bytes = 2 * base::GiB;
  hardware.cpus = 2;
  hardware.mac = "52:54:00:12:34:56";
  hardware.because = {"BIOS: the disk has boot code for it", "2 processors of 4"};
  return hardware;
}

machine::BaseIdentity identity(const std::filesystem::path& base, const std::string& sha256) {
  machine::BaseIdentity identity;
  identity.path = identity.stable_path = base;
  identity.kind = machine::BaseKind::image;
  identity.size_bytes = base_bytes;
  identity.table_uuid = GptDisk().guid;
  identity.sha256 = sha256;
  return identity;
}

machine::BaseIdentity identity(const probe::Disk& disk) {
  machine::BaseIdentity identity;
  identity.path = disk.path;
  identity.stable_path = disk.stable_path;
  identity.size_bytes = disk.size_bytes;
  identity.sectors = disk.sectors;
  identity.model = disk.model;
  identity.serial = disk.serial;
  identity.wwn = disk.wwn;
  return identity;
}

}  // namespace

MachineStore::MachineStore(std::filesystem::path root) : host_(std::move(root)) {
  GptPartition p1;
  p1.first_lba = p1_lba;
  p1.last_lba = p1_last_lba;
  GptDisk disk;
  disk.size_bytes = base_bytes;
  disk.partitions = {p1};
  write_gpt(base(), disk);
  write_at(base(), p1_lba * 512, std::string((p1_last_lba + 1 - p1_lba) * 512, 'B'));
  host_.host().environment["HRVM_STORE"] = folder_ / "store";
  host_.host().streams.columns = 200;
}

void MachineStore::add(const std::string& name, const std::string& sha256) { add_on(identity(base(), sha256), name); }

void MachineStore::add_on_disk(const std::string& name, const std::string& disk) {
  add_on(identity(probe::locate_disk(host_.host(), disk)), name);
}

void MachineStore::add_on(const machine::BaseIdentity& base, const std::string& name) {
  const auto file =
      base.kind == machine::BaseKind::disk ? host_.host().path(base.path) : std::filesystem::path(base.path);
  machine::ImportPlan plan;
  plan.name = name;
  auto& definition = plan.change.definition;
  definition.uuid = host_.host().new_guid();
  definition.created = host_.now;
  definition.description = "the server of " + name;
  definition.system = "Debian GNU/Linux 12 (bookworm)";
  definition.disks[0] = base;
  definition.active = {store().new_id(), std::nullopt, hardware(), std::nullopt};
  const auto device = block::open_device(file);
  definition.fingerprints[definition.active.layer] = machine::read_fingerprint({device.get()}, host_.now);
  plan.change.new_layers = {{definition.active.layer, machine::layer_on_base(base, definition.geometry)}};
  machine::apply_import(store(), plan);
}

void MachineStore::change(const std::string& name, const machine::Change& change) {
  const auto lock = store().lock(name);
  machine::apply(store(), machine(name), change, [](std::uint64_t) {});
}

void MachineStore::snapshot(const std::string& name, const std::string& snapshot, const std::string& description) {
  change(name, machine::plan_snapshot_create(machine(name), snapshot, description,
                                             machine::draw(host_.host(), store(), machine(name))));
}

void MachineStore::revert(const std::string& name, const std::string& snapshot) {
  change(name, machine::plan_snapshot_revert(machine(name), snapshot, false,
                                             machine::draw(host_.host(), store(), machine(name))));
}

void MachineStore::guest_writes(const std::string& name, std::uint64_t offset, char letter) {
  const auto runner = sys::make_process_runner();
  const auto command = fmt::format("write -P {} {} 4k", int(letter), offset);
  const auto result = runner->run({{"qemu-io", "-f", "qcow2", "-c", command, machine(name).active_layer()}, {}, {}},
                                  std::chrono::seconds(20));
  INFO(result.err);
  REQUIRE(result.exit_status == 0);
}

void MachineStore::base_is_written(std::uint64_t offset, char letter) {
  write_at(base(), offset, std::string(4096, letter));
}

sys::Fd MachineStore::runs(const std::string& name) {
  const auto layer = machine(name).active_layer();
  auto fd = sys::open_for_update(layer);
  block::lock_image_exclusively(fd.get(), layer);
  return fd;
}

int MachineStore::run(const std::vector<std::string>& words) {
  host_.forget();
  return cli::run(host_.host(), words);
}

base::Json MachineStore::json(std::vector<std::string> words) {
  words.insert(words.begin(), "--json");
  run(words);
  INFO(host_.err.str());
  return base::parse_json(host_.out.str(), "the result");
}

Transcript MachineStore::transcript(const std::string& name) {
  Transcript transcript(host_, name);
  transcript.replace(folder_.path(), "/T");
  return transcript;
}

}  // namespace hrvm::test
