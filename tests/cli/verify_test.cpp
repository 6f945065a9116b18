#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

static const std::string wrong_hash(64, 'a');

TEST_CASE("verify shows the evidence that a base is unchanged") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("verify/unchanged");
  CHECK(transcript.run({"verify", "web"}) == 0);
  transcript.check();
  const auto verdict = store.json({"verify", "web"});
  CHECK(verdict["verdict"] == "unchanged");
  CHECK(verdict.at_path("base.path") == store.base().string());
  CHECK(verdict["evidence"].items().at(0)["same"] == true);
}

TEST_CASE("verify of a base that was written ends with 3 and says what moved") {
  MachineStore store;
  store.add("web");
  store.base_is_written(0x8000, 'X');
  auto transcript = store.transcript("verify/changed");
  CHECK(transcript.run({"verify", "web"}) == 3);
  transcript.check();
  const auto verdict = store.json({"verify", "web"});
  CHECK(verdict["verdict"] == "changed");
}

// A reset takes the fingerprint as an import does.
TEST_CASE(
    "a base that was written where no sample is taken is told as touched: verify, boot and doctor warn and go on") {
  MachineStore store;
  store.add("web");
  REQUIRE(store.run({"reset", "web"}) == 0);
  CHECK(store.json({"verify", "web"})["touched"].items().empty());
  store.base_is_written(0x140000, 'X');
  CHECK(store.run({"verify", "web"}) == 0);
  CHECK_THAT(store.host().out.str(), Catch::Contains("touched since: " + store.base().string() + " was written at "));
  CHECK_THAT(store.host().err.str(), Catch::Contains("hrvm verify --full --record web"));
  const auto found = store.json({"verify", "web"});
  CHECK(found["verdict"] == "unchanged");
  CHECK(found["touched"].items().size() == 1);
  CHECK(found["looked_at"].items().at(0) == "size");
  CHECK(store.run({"boot", "web", "--print", "--accel", "tcg"}) == 0);
  CHECK_THAT(store.host().err.str(), Catch::Contains("was touched since the layers of web were made"));
  const auto checks = store.json({"doctor", "web"})["checks"];
  bool is_warned = false;
  for (const auto& check : checks.items())
    if (check["id"] == "base") is_warned = check["status"] == "warning";
  CHECK(is_warned);
}

TEST_CASE("verify --full --record takes the hash that later ones are held to, and the touch is told no more") {
  MachineStore store;
  store.add("web");
  REQUIRE(store.run({"reset", "web"}) == 0);
  store.base_is_written(0x140000, 'X');
  CHECK(store.run({"verify", "web", "--record"}) == 2);
  CHECK(store.run({"verify", "web", "--full", "--record"}) == 0);
  CHECK(store.json({"verify", "web"})["touched"].items().empty());
  CHECK(store.run({"verify", "web", "--full"}) == 0);
  CHECK_THAT(store.host().out.str(), Catch::Contains("unchanged: all of it has the SHA-256 that was taken"));
  CHECK(store.machine("web").definition.log.back().what == "verify --full --record");
  store.base_is_written(0x140000, 'Y');
  CHECK(store.run({"verify", "web"}) == 0);
  CHECK(store.run({"verify", "web", "--full"}) == 3);
  CHECK(store.run({"verify", "web", "--full", "--record"}) == 3);
  CHECK(store.run({"verify", "web", "--full"}) == 3);
}

TEST_CASE("a reset keeps the hash of a base that nobody touched, and forgets that of one that was") {
  MachineStore store;
  store.add("web");
  REQUIRE(store.run({"reset", "web"}) == 0);
  REQUIRE(store.run({"verify", "web", "--full", "--record"}) == 0);
  REQUIRE(store.run({"reset", "web"}) == 0);
  CHECK(store.run({"verify", "web", "--full"}) == 0);
  store.base_is_written(0x140000, 'X');
  REQUIRE(store.run({"reset", "web"}) == 0);
  CHECK_THAT(store.host().err.str(), Catch::Contains("hrvm verify --full --record takes it anew"));
  CHECK(store.machine("web").definition.disks[0].sha256.empty());
  CHECK(store.run({"verify", "web", "--full", "--record"}) == 0);
  CHECK(store.run({"verify", "web", "--full"}) == 0);
}

TEST_CASE("verify --full --record refuses a base that has changed by what is cheaper to see") {
  MachineStore store;
  store.add("web");
  store.base_is_written(0x8000, 'X');
  CHECK(store.run({"verify", "web", "--full", "--record"}) == 4);
  CHECK(store.machine("web").definition.disks[0].sha256.empty());
}

TEST_CASE("verify of a base that is missing ends with 3") {
  MachineStore store;
  store.add("web");
  std::filesystem::remove(store.base());
  auto transcript = store.transcript("verify/missing");
  CHECK(transcript.run({"verify", "web"}) == 3);
  CHECK(transcript.run({"verify", "web", "--full"}) == 3);
  transcript.check();
}

TEST_CASE("verify --full without a hash of import prints one, and does not call it a proof") {
  MachineStore store;
  store.add("web");
  auto transcript = store.transcript("verify/full_without_hash");
  CHECK(transcript.run({"verify", "web", "--full"}) == 1);
  transcript.check();
}

TEST_CASE("verify --full finds a byte that no sample saw") {
  MachineStore store;
  store.add("probe");
  const auto hash = store.json({"verify", "probe", "--full"})["sha256"].text().value();
  store.add("web", hash);
  CHECK(store.run({"verify", "web", "--full"}) == 0);
  // Between two of the 32 samples, which lie 256 KiB apart.
  store.base_is_written(0x140000, 'X');
  CHECK(store.run({"verify", "web"}) == 0);
  CHECK(store.run({"verify", "web", "--full"}) == 3);
  CHECK(store.json({"verify", "web", "--full"})["verdict"] == "changed");
}

TEST_CASE("verify holds the hash of import against the base, not against itself") {
  MachineStore store;
  store.add("web", wrong_hash);
  CHECK(store.run({"verify", "web"}) == 0);
  const auto verdict = store.json({"verify", "web", "--full"});
  CHECK(verdict["verdict"] == "changed");
  const auto& hashes = verdict["evidence"].items().back();
  CHECK(hashes["then"] == wrong_hash);
  CHECK(hashes["same"] == false);
}
