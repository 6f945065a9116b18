// snapshot prune: what goes, what stays and why.
#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

// The last of these is made at 2026-02-14T09:41:07Z.
void make_automatic(MachineStore& store, const std::string& machine, int count, std::chrono::hours apart) {
  const auto end = store.host().now;
  store.host().now = end - (count - 1) * apart;
  for (int i = 0; i < count; ++i, store.host().now += apart) {
    store.guest_writes(machine, std::uint64_t(i) << 17, char('a' + i));
    REQUIRE(store.run({"snapshot", "create", machine, "--auto"}) == 0);
  }
  store.host().now = end;
}

void use_utc(MachineStore& store) { store.host().host().environment["TZ"] = "UTC"; }

}  // namespace

TEST_CASE("prune tells of each snapshot whether it stays and why, and deletes the others") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  make_automatic(store, "web", 6, std::chrono::hours(9));
  store.snapshot("web", "mine");
  auto transcript = store.transcript("snapshot_prune/rules");
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "2", "--keep-last", "1", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "2", "--keep-last", "1"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "2", "--keep-last", "1", "--yes", "--json"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "2", "--yes"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "1", "--plain", "--dry-run"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "1", "--quiet", "--yes"}) == 0);
  CHECK(transcript.run({"snapshot", "list", "web", "--quiet"}) == 0);
  REQUIRE(store.run({"undo", "web", "--discard", "--yes"}) == 0);  // what is held differs by a block at times
  CHECK(transcript.run({"log", "web", "--plain"}) == 0);
  transcript.check();
}

TEST_CASE("prune asks on a terminal, and does nothing when the answer is no") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  make_automatic(store, "web", 3, std::chrono::hours(1));
  store.host().use_terminal();
  store.host().type("no\n");
  CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1"}) == 1);
  CHECK(store.host().err.str().find("Delete 2 snapshots of web? [y/N]") != std::string::npos);
  CHECK(store.machine("web").definition.snapshots.size() == 3);
  store.host().type("y\n");
  CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1"}) == 0);
  CHECK(store.machine("web").definition.log.back().deleted.size() == 2);
}

TEST_CASE("a machine whose QEMU takes no orders is not pruned, and with --every the others are") {
  MachineStore store;
  use_utc(store);
  for (const auto* name : {"db", "web"}) {
    store.add(name);
    make_automatic(store, name, 3, std::chrono::hours(1));
  }
  const auto running = store.runs("db");
  auto transcript = store.transcript("snapshot_prune/several");
  CHECK(transcript.run({"snapshot", "prune", "db", "--keep-last", "1", "--discard", "--yes"}) == 1);
  CHECK(transcript.run({"snapshot", "prune", "db", "web", "none", "--keep-last", "2", "--discard", "--yes"}) == 1);
  CHECK(transcript.run({"snapshot", "prune", "--every", "--keep-last", "1", "--discard", "--yes"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "--every", "--keep-last", "1", "--discard", "--yes", "--json"}) == 0);
  transcript.check();
  CHECK(store.machine("db").definition.snapshots.size() == 3);
  CHECK(store.machine("web").definition.snapshots.size() == 1);
}

TEST_CASE("what a prune removed comes back by one undo, whatever runs the machine, and goes at once where it is to") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  make_automatic(store, "web", 3, std::chrono::hours(1));
  const auto before = to_json(store.machine("web").definition);
  {
    const auto running = store.runs("web");
    CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1", "--yes"}) == 0);
    CHECK(store.run({"snapshot", "list", "web", "--quiet"}) == 0);
    CHECK(store.run({"undo", "web"}) == 0);
  }
  for (const auto* member : {"snapshots", "active", "fingerprints"})
    CHECK(base::to_text(to_json(store.machine("web").definition)[member]) == base::to_text(before[member]));
  CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1", "--discard", "--yes"}) == 0);
  CHECK(store.machine("web").definition.snapshots.size() == 1);
  CHECK_FALSE(store.machine("web").definition.log.back().can_be_undone());
}

TEST_CASE("that snapshots are from the future is told, and they stay") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  make_automatic(store, "web", 2, std::chrono::hours(1));
  store.host().now -= std::chrono::hours(24);
  CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1", "--yes"}) == 0);
  CHECK(store.host().err.str().find("web@auto-20260214T094107Z is from the future") != std::string::npos);
  CHECK(store.machine("web").definition.snapshots.size() == 2);
}

TEST_CASE("what is damaged is merged into nothing") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  make_automatic(store, "web", 3, std::chrono::hours(1));
  const auto machine = store.machine("web");
  const auto layer = machine.layer_path(machine.definition.snapshots[1].layer);
  std::filesystem::permissions(layer, std::filesystem::perms(0600));
  std::filesystem::resize_file(layer, 512);
  CHECK(store.run({"snapshot", "prune", "web", "--keep-last", "1", "--discard", "--yes"}) == 1);
  CHECK(store.machine("web").definition.snapshots.size() == 3);
}

TEST_CASE("the rules can be tried on a list, without a machine") {
  MachineStore store;
  use_utc(store);
  const auto list = store.folder().write("list",
                                         "old\t2026-01-31T23:00:00Z\n"
                                         "mine\t2026-02-01T00:30:00+01:00\tmanual\n"
                                         "\n"
                                         "a\x1b[2Jb\t2026-02-14T09:00:00Z\n"
                                         "newest\t2026-02-14T09:41:07Z\n"
                                         "later\t2027-02-14T09:41:07Z\n");
  auto transcript = store.transcript("snapshot_prune/simulated");
  CHECK(transcript.run({"snapshot", "prune", "--simulate", list}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "--simulate", list, "--keep-monthly", "3", "--timezone", "Europe/Berlin",
                        "--now", "2027-03-01T00:00:00Z", "--json"}) == 0);
  CHECK(transcript.run({"snapshot", "prune", "--simulate", list, "--keep-last", "1", "--all", "--plain"}) == 0);
  store.host().type("x\t2026-02-14T09:00:00Z\n");
  CHECK(transcript.run({"snapshot", "prune", "--simulate", "-"}) == 0);
  transcript.check();
}

TEST_CASE("a list that is none is told by its line") {
  MachineStore store;
  use_utc(store);
  auto transcript = store.transcript("snapshot_prune/bad_lists");
  for (const auto* line :
       {"name only", "x\tyesterday", "x\t2026-02-30T00:00:00Z", "x\t2026-02-14T09:00:00+99:00",
        "x\t2026-02-14T09:00:00Z\tauto", "\t2026-02-14T09:00:00Z", "x\t2026-02-14T09:00:00Z\tmanual\t"}) {
    const auto list = store.folder().write("list", std::string("x\t2026-02-14T09:00:00Z\r\n") + line + "\n");
    CHECK(transcript.run({"snapshot", "prune", "--simulate", list}) == 1);
  }
  CHECK(transcript.run({"snapshot", "prune", "--simulate", store.folder() / "none"}) == 1);
  const auto large = store.folder().write("large", std::string((16 << 20) + 1, 'x'));
  CHECK(transcript.run({"snapshot", "prune", "--simulate", large}) == 1);
  transcript.check();
}

TEST_CASE("words of prune that cannot be are wrong usage") {
  MachineStore store;
  use_utc(store);
  store.add("web");
  auto transcript = store.transcript("snapshot_prune/wrong_usage");
  CHECK(transcript.run({"snapshot", "prune"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--every"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--simulate", "-"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--now", "2026-02-14T09:00:00Z"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "--simulate", "-", "--now", "tomorrow"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "0"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--keep-daily", "-1"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--timezone", "Europe/Berln"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web", "--timezone", "../../etc/passwd"}) == 2);
  CHECK(transcript.run({"snapshot", "prune", "web@fresh"}) == 2);
  transcript.check();
}
