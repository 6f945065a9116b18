#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "hrvm/base/error.hpp"
#include "unit/machine/sample_machine.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

std::string reading(const base::Json& json, base::ErrorKind kind = base::ErrorKind::corrupt) {
  try {
    definition_from_json(json, "/store/web/generations/7.json");
    return "accepted";
  } catch (const base::Error& error) {
    CHECK(error.kind() == kind);
    CHECK(error.path() == "/store/web/generations/7.json");
    return error.message();
  }
}

// The document with one member, named by its path ("log[1].held.head"), replaced.
base::Json with(base::Json document, std::string_view path, base::Json value) {
  const bool is_item = path.starts_with('[');
  const auto end = std::min(path.find_first_of(".[", 1), path.size());
  const auto rest = path.substr(std::min(path.size(), end + (end < path.size() && path[end] == '.')));
  if (is_item) {
    auto items = document.items();
    auto& item = items.at(std::size_t(path[1] - '0'));
    item = rest.empty() ? std::move(value) : with(item, rest, std::move(value));
    return items;
  }
  const std::string key(path.substr(0, end));
  return document.set(key, rest.empty() ? std::move(value) : with(document[key], rest, std::move(value)));
}

base::Json without(const base::Json& object, std::string_view key) {
  base::Json rest = base::Json::object();
  for (const auto& [name, value] : object.members())
    if (name != key) rest.set(name, value);
  return rest;
}

base::Json document() { return to_json(sample_definition()); }

base::Json with_snapshot(std::size_t index, const std::string& key, base::Json value) {
  base::Json::Array snapshots = document()["snapshots"].items();
  snapshots[index].set(key, std::move(value));
  return with(document(), "snapshots", snapshots);
}

}  // namespace

TEST_CASE("a definition read back is the one that was written") {
  const auto text = base::to_text(document());
  const auto again = definition_from_json(base::parse_json(text, "x"), "x");
  CHECK(base::to_text(to_json(again)) == text);
  CHECK(again.active == sample_definition().active);
  CHECK(again.log.size() == 2);
  CHECK(again.log[1].held == sample_definition().log[1].held);
  CHECK(again.log[1].when == sample_definition().log[1].when);
  CHECK(again.log[1].what == sample_definition().log[1].what);
  CHECK(again.disks[0] == sample_definition().disks[0]);
  CHECK(again.fingerprints == sample_definition().fingerprints);
  CHECK(again.snapshots[1].parent == "fresh");
}

TEST_CASE("the further disks of a machine read back, each with a file of every layer") {
  auto definition = sample_definition();
  BaseIdentity empty;
  empty.kind = BaseKind::empty;
  empty.size_bytes = 20ull << 30;
  definition.disks = {sample_base(), sample_base(), empty};
  const auto again = definition_from_json(to_json(definition), "x");
  CHECK(again.disks == definition.disks);
  CHECK(again.layer_file("00000000000000a1", 2) == "layers/00000000000000a1-2.qcow2");
  CHECK(again.files().size() == definition.files().size());
  CHECK(std::ranges::count(again.files(), "layers/00000000000000c2-1.qcow2") == 1);
}

TEST_CASE("further disks that no machine can have are refused") {
  const auto disk = document()["base"];
  const auto none = base::Json::object().set("kind", "empty").set("size_bytes", 0);
  const auto folder = with(with(disk, "kind", "folder"), "format", "folder");
  CHECK(reading(document().set("other_disks", base::Json::Array(16, disk))).find("more than 15") != std::string::npos);
  CHECK(reading(document().set("other_disks", base::Json::Array{none})) != "accepted");
  CHECK(reading(document().set("other_disks", base::Json::Array{folder})) != "accepted");
  CHECK(reading(document().set("other_disks", base::Json::Array{disk})) == "accepted");
  const auto on_folder = with(with(document(), "base.kind", "folder"), "base.format", "folder");
  CHECK(reading(on_folder) == "accepted");
  const auto both = with(on_folder, "other_disks", base::Json::Array{disk});
  CHECK(reading(both).find("base is a folder") != std::string::npos);
}

TEST_CASE("that a snapshot was made automatically reads back, and goes without saying of others") {
  auto definition = sample_definition();
  definition.snapshots[1].is_auto = true;
  const auto json = to_json(definition);
  CHECK_FALSE(json["snapshots"].items()[0].contains("auto"));
  const auto again = definition_from_json(json, "x");
  CHECK_FALSE(again.snapshots[0].is_auto);
  CHECK(again.snapshots[1].is_auto);
  CHECK(reading(with_snapshot(1, "auto", "yes")) != "accepted");
}

TEST_CASE("a definition with nothing optional in it reads back") {
  const auto text = base::to_text(to_json(fresh_definition()));
  CHECK(base::to_text(to_json(definition_from_json(base::parse_json(text, "x"), "x"))) == text);
}

TEST_CASE("each member edited wrongly is refused by its name") {
  const std::vector<std::pair<std::string, base::Json>> edits = {
      {"schema", "hrvm.machine/0"},
      {"schema", "hrvm.snapshot/2"},
      {"schema", "hrvm.machine/x"},
      {"uuid", "web"},
      {"created", "yesterday"},
      {"description", 1},
      {"system", nullptr},
      {"base", "sda"},
      {"base.path", "sda"},
      {"base.stable_path", ""},
      {"base.kind", "directory"},
      {"base.format", "qed"},
      {"base.size_bytes", 0},
      {"base.size_bytes", "240G"},
      {"base.size_bytes", -1},
      {"base.logical_sector_bytes", 513},
      {"base.physical_sector_bytes", 0},
      {"base.model", 3},
      {"base.sha256", "abc"},
      {"geometry.cluster_bytes", 100'000},
      {"geometry.extended_l2", "yes"},
      {"active", nullptr},
      {"active.layer", "../../etc/passwd"},
      {"active.layer", "00000000000000A1"},
      {"active.nvram", "../vars"},
      {"active.head", "gone"},
      {"active.head", 7},
      {"hardware[0].memory_bytes", 0},
      {"hardware[0].memory_bytes", 1.5},
      {"hardware[0].cpus", 0},
      {"hardware[0].cpus", 100'000},
      {"hardware[0].firmware", "coreboot"},
      {"hardware[0].machine", "microvm"},
      {"hardware[0].bus", "floppy"},
      {"hardware[0].nic", "ne2000"},
      {"hardware[0].net", "bridge"},
      {"hardware[0].net", "bridge=a/b"},
      {"hardware[0].iso", "rescue.iso,boot"},
      {"hardware[0].iso", true},
      {"hardware[0].mac", "52:54:00:12:34"},
      {"hardware[0].mac", "53:54:00:12:34:56"},
      {"hardware[0].because", "it is so"},
      {"active.hardware", 1},
      {"active.hardware", base::Json::object()},
      {"hardware", base::Json::array()},
      {"log", nullptr},
      {"log[1].number", 1},
      {"log[0].number", 0},
      {"log[1].when", 7},
      {"log[1].what", nullptr},
      {"log[1].is_undo", "yes"},
      {"log[1].held", nullptr},
      {"log[1].held.head", "gone"},
      {"log[1].held.layer", "00000000000000a1"},
      {"snapshots[0].hardware", 1},
      {"snapshots", base::Json::object()},
      {"fingerprints", base::Json::array()},
      {"fingerprints.00000000000000b1.taken", 5},
      {"fingerprints.00000000000000b1.marks", nullptr},
  };
  for (const auto& [path, value] : edits) {
    INFO(path << " := " << base::to_text(value));
    CHECK_THAT(reading(with(document(), path, value)), Catch::StartsWith(path + ": "));
  }
}

TEST_CASE("a member that is missing is refused by its name") {
  CHECK(reading(without(document(), "base")) == "base: is missing");
  CHECK(reading(with(document(), "active", without(document()["active"], "layer"))) == "active.layer: is missing");
  CHECK(reading(base::Json("text")) == "the document: is not an object");
}

TEST_CASE("what only a newer hrvm can have written is told as that") {
  const std::vector<std::pair<std::string, base::Json>> edits = {{"retention", base::Json::object()},
                                                                 {"active.colour", "red"},
                                                                 {"hardware[0].sound", "hda"},
                                                                 {"schema", "hrvm.machine/3"},
                                                                 {"schema", "hrvm.machine/10"}};
  for (const auto& [path, value] : edits) {
    const auto told = reading(with(document(), path, value), base::ErrorKind::unsupported);
    CHECK_THAT(told, Catch::StartsWith(path + ": ") && Catch::Contains("made by a newer hrvm"));
  }
}

TEST_CASE("members that came later may be missing") {
  for (const auto* name : {"nic", "cpu", "clock", "hyperv", "tpm", "disks", "iso", "secure_boot"}) {
    INFO(name);
    CHECK(reading(with(document(), "hardware[0]", without(document()["hardware"].items()[0], name))) == "accepted");
  }
}

namespace {

Definition with_pending() {
  auto definition = sample_definition();
  definition.pending =
      PendingSnapshot{"next", at("2026-03-01T12:00:00Z"), "while it runs", "00000000000000d1", "00000000000000f3"};
  return definition;
}

}  // namespace

TEST_CASE("a snapshot that is being made reads back, and its files are the machine's") {
  const auto again = definition_from_json(to_json(with_pending()), "x");
  REQUIRE(again.pending);
  CHECK(again.pending->name == "next");
  CHECK(again.pending->created == at("2026-03-01T12:00:00Z"));
  CHECK(again.pending->description == "while it runs");
  CHECK(again.pending->layer == "00000000000000d1");
  CHECK(again.pending->nvram == "00000000000000f3");
  CHECK(std::ranges::count(again.files(), "layers/00000000000000d1.qcow2") == 1);
  CHECK(std::ranges::count(again.files(), "nvram/00000000000000f3.fd") == 1);
  CHECK_FALSE(definition_from_json(document(), "x").pending);
}

TEST_CASE("a snapshot that is being made has a name and files of its own") {
  const auto json = to_json(with_pending());
  CHECK_THAT(reading(with(json, "pending.name", "tuned")), Catch::StartsWith("pending.name: "));
  CHECK_THAT(reading(with(json, "pending.name", "a/b")), Catch::StartsWith("pending.name: "));
  CHECK_THAT(reading(with(json, "pending.layer", "00000000000000c1")), Catch::StartsWith("pending.layer: "));
  CHECK_THAT(reading(with(json, "pending.nvram", "00000000000000f1")), Catch::StartsWith("pending.nvram: "));
  CHECK_THAT(reading(with(json, "pending", without(json["pending"], "layer"))), Catch::StartsWith("pending.layer: "));
  const auto on_folder = with(with(json, "base.kind", "folder"), "base.format", "folder");
  CHECK_THAT(reading(on_folder), Catch::StartsWith("pending: "));
}

TEST_CASE("what a snapshot's filesystems are like reads back, and goes without saying where the machine stood still") {
  auto definition = sample_definition();
  definition.snapshots[1].consistency = Consistency::frozen;
  const auto json = to_json(definition);
  CHECK_FALSE(json["snapshots"].items()[0].contains("consistency"));
  const auto again = definition_from_json(json, "x");
  CHECK(again.snapshots[0].consistency == Consistency::stopped);
  CHECK(again.snapshots[1].consistency == Consistency::frozen);
  CHECK_THAT(reading(with_snapshot(1, "consistency", "thawed"), base::ErrorKind::unsupported),
             Catch::StartsWith("snapshots[1].consistency: ") && Catch::Contains("made by a newer hrvm"));
}

TEST_CASE("what a thousand snapshots have in common is written once") {
  auto definition = sample_definition();
  const auto two = base::to_text(to_json(definition)).size();
  definition.snapshots[1].nvram.reset();
  for (unsigned i = 0; i < 1000; ++i) {
    auto next = definition.snapshots.back();
    next.parent = next.name;
    next.name = fmt::format("s{:04}", i);
    next.layer = fmt::format("{:016x}", 0x10000 + i);
    definition.snapshots.push_back(next);
  }
  const auto json = to_json(definition);
  CHECK(json["hardware"].items().size() == 1);
  CHECK(base::to_text(json).size() - two < 1000 * 200);
  const auto again = definition_from_json(json, "x");
  CHECK(again.snapshots.back().hardware == definition.snapshots.back().hardware);
  CHECK(again.snapshots.back().parent == "s0998");
}

TEST_CASE("snapshots must make a tree") {
  CHECK_THAT(reading(with_snapshot(0, "parent", "tuned")), Catch::StartsWith("snapshots[0].parent: "));
  CHECK_THAT(reading(with_snapshot(1, "parent", "tuned")), Catch::StartsWith("snapshots[1].parent: "));
  CHECK_THAT(reading(with_snapshot(1, "name", "fresh")), Catch::StartsWith("snapshots[1].name: "));
  CHECK_THAT(reading(with_snapshot(1, "name", "a/b")), Catch::StartsWith("snapshots[1].name: "));
  CHECK_THAT(reading(with_snapshot(1, "nvram", "00000000000000f1")), Catch::StartsWith("snapshots[1].nvram: "));
  CHECK_THAT(reading(with_snapshot(1, "layer", "00000000000000c1")), Catch::StartsWith("snapshots[1].layer: "));
}

TEST_CASE("each layer on the base has its fingerprint, and no other layer has one") {
  const auto fingerprints = document()["fingerprints"];
  CHECK_THAT(reading(with(document(), "fingerprints", without(fingerprints, "00000000000000c1"))),
             Catch::StartsWith("fingerprints.00000000000000c1: is missing"));
  CHECK_THAT(reading(with(document(), "fingerprints.00000000000000c2", fingerprints.members()[0].second)),
             Catch::StartsWith("fingerprints.00000000000000c2: no layer"));
}

TEST_CASE("a state's chain goes from its own layer down to the one on the base") {
  const auto definition = sample_definition();
  CHECK(definition.chain(definition.active) ==
        std::vector<std::string>{"00000000000000a1", "00000000000000c2", "00000000000000c1"});
  CHECK(definition.chain(*definition.log[1].held) == std::vector<std::string>{"00000000000000b1"});
  CHECK(definition.layer_below(definition.active.head) == "00000000000000c2");
  CHECK_FALSE(definition.layer_below(std::nullopt));
}

TEST_CASE("a definition names every file that it needs") {
  CHECK(sample_definition().files() ==
        std::vector<std::string>{"layers/00000000000000a1.qcow2", "nvram/00000000000000f1.fd",
                                 "layers/00000000000000b1.qcow2", "layers/00000000000000c1.qcow2",
                                 "layers/00000000000000c2.qcow2", "nvram/00000000000000f2.fd"});
}

TEST_CASE(
    "a layer without a name is read again, stands for no snapshot, and is another hrvm's business where it lies") {
  auto definition = sample_definition();
  auto& node = definition.snapshots[0];
  node.name = nameless(node.layer);
  definition.snapshots[1].parent = node.name;
  const auto json = to_json(definition);
  const auto again = definition_from_json(json, "1.json");
  CHECK(again.snapshots[0].is_nameless());
  CHECK(again.chain(again.active) == definition.chain(definition.active));
  CHECK_FALSE(again.named("~00000000000000c1"));
  CHECK(again.named("tuned") == "tuned");
  CHECK(json["snapshots"].items()[0]["nameless"].boolean() == true);
  definition.snapshots[0].name = definition.snapshots[1].parent.emplace("~00000000000000ff");
  CHECK_THROWS_WITH(definition_from_json(to_json(definition), "1.json"), Catch::Contains("is not that of its layer"));
}
