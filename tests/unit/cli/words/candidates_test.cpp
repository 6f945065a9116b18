#include "cli/words/candidates.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/words/lookup.hpp"
#include "hrvm/machine/store.hpp"
#include "support/recorded_machines.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using cli::Candidates;
using Words = std::vector<std::string>;

// A store with a machine "web" that has snapshots "before" and "after", and one "db" without.
class WithStore {
 public:
  WithStore() {
    machine::Definition definition;
    definition.uuid = host.host().new_guid();
    definition.disks[0] = {.path = "/dev/sda", .stable_path = "/dev/sda", .size_bytes = 8 << 20};
    definition.active.layer = "00000000000000a1";
    definition.active.hardware = {.memory_bytes = 1 << 20, .mac = "52:54:00:12:34:56"};
    definition.fingerprints["00000000000000a1"] = {};
    add("db", definition);
    definition.active.head = "after";
    for (const auto& [name, parent, layer] :
         {std::tuple{"before", std::optional<std::string>(), "00000000000000b1"},
          std::tuple{"after", std::optional<std::string>("before"), "00000000000000b2"}}) {
      machine::Snapshot snapshot{.name = name, .parent = parent, .description = "as it was"};
      snapshot.layer = layer;
      snapshot.hardware = definition.active.hardware;
      definition.snapshots.push_back(snapshot);
    }
    definition.fingerprints = {{"00000000000000b1", {}}};
    add("web", definition);
  }

  Candidates ask(const Words& words) const { return cli::candidates(host.host(), store(), words); }
  Words words(const Words& line) const {
    Words found;
    for (const auto& candidate : ask(line).words) found.push_back(candidate.word);
    return found;
  }
  std::string store() const { return folder / "store"; }

 private:
  void add(const std::string& name, const machine::Definition& definition) {
    const machine::Store machines(host.host(), store());
    const auto lock = machines.begin(name);
    machines.commit(name, definition);
  }

 public:
  const test::TemporaryDirectory folder;
  mutable test::TestHost host;
};

TEST_CASE("the first word is a command, and a group is offered once") {
  const WithStore with;
  auto all = with.words({""});
  CHECK(std::count(all.begin(), all.end(), "snapshot") == 1);
  CHECK(std::count(all.begin(), all.end(), "__complete") == 0);
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(with.words({"compl"}) == Words{"completion"});
  CHECK(with.words({"--store", "/x", "compl"}) == Words{"completion"});
}

TEST_CASE("the second word of a group is one of its commands") {
  const WithStore with;
  const auto second = with.words({"snapshot", ""});
  CHECK(second.size() == cli::group_commands("snapshot").size());
  CHECK(with.words({"snapshot", "cr"}) == Words{"create"});
  CHECK(with.words({"help", "snapshot", "cr"}) == Words{"create"});
}

TEST_CASE("options are offered with their help, and their choices behind them") {
  const WithStore with;
  const auto option = with.ask({"completion", "--ver"}).words;
  REQUIRE(option.size() == 2);
  CHECK(option[0].word == "--verbose");
  CHECK(option[0].description == "say more about what is done");
  CHECK(with.words({"completion", "--color", "a"}) == Words{"auto", "always"});
  CHECK(with.words({"completion", "--color=n"}) == Words{"--color=never"});
  CHECK(with.words({"completion", "bash", "--", "--ver"}).empty());
}

TEST_CASE("a choice that goes on is completed as far as it is fixed") {
  const WithStore with;
  CHECK(with.words({"import", "--net", "br"}) == Words{"bridge="});
}

TEST_CASE("what can be set is offered with what it can be, and its values behind it") {
  const WithStore with;
  const auto found = with.ask({"set", "web", "bu"}).words;
  REQUIRE(found.size() == 1);
  CHECK(found[0].word == "bus=");
  CHECK(found[0].description == "virtio, sata, nvme, scsi or ide");
  CHECK(with.words({"set", "web", "memory=4G", "bus=s"}) == Words{"bus=sata", "bus=scsi"});
  CHECK(with.words({"set", "web", "net=b"}) == Words{"net=bridge="});
  CHECK(with.words({"set", "web", "memory="}).empty());
  CHECK(with.words({"set", "web", "forward="}) == Words{"forward=none"});
  CHECK(with.words({"set", "web", "autostart=o"}) == Words{"autostart=on", "autostart=off"});
}

TEST_CASE("folders are offered for what is shared") {
  const WithStore with;
  const test::TemporaryDirectory folder;
  std::filesystem::create_directories(folder / "data");
  const auto start = "share=" + folder.path().string() + "/";
  CHECK(with.words({"set", "web", start + "d"}) == Words{start + "data/"});
}

TEST_CASE("machines are offered where a machine is meant") {
  const WithStore with;
  CHECK(with.words({"reset", ""}) == Words{"db", "web"});
  CHECK(with.words({"reset", "--dry-run", "w"}) == Words{"web"});
  CHECK(with.words({"reset", "web", ""}).empty());
}

TEST_CASE("snapshots are offered behind the @, with what they are") {
  const WithStore with;
  const auto found = with.ask({"boot", "web@b"}).words;
  REQUIRE(found.size() == 1);
  CHECK(found[0].word == "web@before");
  CHECK(found[0].description == "as it was");
  CHECK(with.words({"snapshot", "revert", "web@"}) == Words{"web@before", "web@after"});
  CHECK(with.words({"snapshot", "revert", "w"}) == Words{"web@"});
}

TEST_CASE("the store that the line names is looked into") {
  const WithStore with;
  const test::TestHost empty;
  const auto found = cli::candidates(with.host.host(), "/nonexistent", {"--store", with.store(), "reset", "d"});
  REQUIRE(found.words.size() == 1);
  CHECK(found.words[0].word == "db");
}

TEST_CASE("a source is an attached disk or a file") {
  const WithStore with;
  const auto root = test::recorded_machine("laptop").root().string();
  const auto found = with.ask({"--root", root, "import", ""});
  REQUIRE(found.words.size() == 1);
  CHECK(found.words[0].word == "/dev/nvme0n1");
  CHECK(found.words[0].description.find("SAMSUNG") == 0);
  CHECK(found.paths == Candidates::Paths::files);
}

TEST_CASE("folders are left to the shell") {
  const WithStore with;
  CHECK(with.ask({"--store", ""}).paths == Candidates::Paths::folders);
  CHECK(with.ask({"list", "--store="}).paths == Candidates::Paths::folders);
}

TEST_CASE("what is broken or unknown offers nothing") {
  const WithStore with;
  CHECK(with.words({"nonsense", ""}).empty());
  CHECK(with.words({"snapshot", "nonsense", ""}).empty());
  CHECK(with.words({"boot", "nosuch@"}).empty());
  CHECK(with.words({"boot", "../x@"}).empty());
  with.folder.write("store/web/generations/1.json", "{");
  CHECK(with.words({"boot", "web@"}).empty());
}
