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
