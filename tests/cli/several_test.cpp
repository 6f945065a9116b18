// Several machines on one line, and what -q leaves.
#include <catch2/catch.hpp>
#include <sstream>

#include "cli/machine_fixture.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

class Three : public MachineStore {
 public:
  Three() {
    host().host().uid = 1000;
    host().host().environment["XDG_RUNTIME_DIR"] = (folder() / "run").string();
    for (const auto* name : {"db", "mail", "web"}) {
      add(name);
      host().now += std::chrono::hours(1);
    }
    snapshot("web", "fresh");
    snapshot("db", "fresh", "just installed");
  }
  std::string out() { return host().out.str(); }
  std::string err() { return host().err.str(); }
};

}  // namespace

TEST_CASE_METHOD(Three, "several machines are removed after one question that names them all") {
  host().use_terminal();
  host().type("y\n");
  CHECK(run({"remove", "web", "db"}) == 0);
  CHECK(err().starts_with("Remove 2 machines: web (with 1 snapshot, "));
  CHECK(err().find("), db (with 1 snapshot, ") != std::string::npos);
  CHECK(store().names() == std::vector<std::string>{"mail"});
}

TEST_CASE_METHOD(Three, "a machine that cannot be removed keeps none of the others") {
  const auto running = runs("mail");
  CHECK(run({"remove", "db", "mail", "none", "web", "--yes"}) == 1);
  CHECK(store().names() == std::vector<std::string>{"mail"});
  CHECK(err().find("no machine named none") != std::string::npos);
}

TEST_CASE_METHOD(Three, "a machine that is removed alone is told in JSON as ever, and in a list") {
  const auto one = json({"remove", "web", "--dry-run"});
  CHECK(one["machine"] == "web");
  CHECK(one["machines"].items().at(0)["machine"] == "web");
  const auto two = json({"remove", "web", "db", "--dry-run"});
  CHECK(two["machine"].is_null());
  CHECK(two["machines"].items().size() == 2);
  CHECK(two["files"].items().size() > one["files"].items().size());
}

TEST_CASE_METHOD(Three, "several machines are shown, and one that is not there hides none") {
  CHECK(run({"show", "web@fresh", "none", "db"}) == 1);
  CHECK(out().find("web  stopped") != std::string::npos);
  CHECK(out().find("Snapshot:") != std::string::npos);
  CHECK(out().find("db  stopped") != std::string::npos);
  CHECK(err().find("no machine named none") != std::string::npos);
  CHECK(json({"show", "web", "db"})["machines"].items().size() == 2);
}

TEST_CASE_METHOD(Three, "stop needs to be told which") {
  CHECK(run({"stop"}) == 2);
  CHECK(run({"stop", "--all", "web"}) == 2);
  CHECK(run({"stop", "--all"}) == 0);
  CHECK(out() == "No machine runs.\n");
  const auto running = runs("db");
  CHECK(run({"stop", "--all", "--timeout", "1"}) == 1);
  CHECK(err().find("db") != std::string::npos);
  CHECK(run({"stop", "web", "mail"}) == 1);
  CHECK(err().find("web") != std::string::npos);
  CHECK(err().find("mail") != std::string::npos);
}

TEST_CASE_METHOD(Three, "a list is sorted and filtered as it is asked to be") {
  guest_writes("mail", 1 << 20, 'x');
  CHECK(run({"list", "-q"}) == 0);
  CHECK(out() == "db\nmail\nweb\n");
  run({"list", "-q", "--sort", "created"});
  CHECK(out() == "web\nmail\ndb\n");
  run({"list", "-q", "--sort", "changes"});
  CHECK(out().ends_with("mail\n") == false);
  const auto running = runs("db");
  run({"list", "-q", "--filter", "state=running"});
  CHECK(out() == "db\n");
  run({"list", "-q", "--filter", "state=stopped", "--filter", "name=*e*"});
  CHECK(out() == "web\n");
  run({"list", "-q", "--filter", "name=web", "--filter", "name=d?"});
  CHECK(out() == "db\nweb\n");
  CHECK(run({"list", "--filter", "name=none"}) == 0);
  CHECK(out() == "No such machines.\n");
  CHECK(json({"list", "--filter", "name=web"})["machines"].items().size() == 1);
}

TEST_CASE_METHOD(Three, "a filter that means nothing is told, not an empty list") {
  CHECK(run({"list", "--filter", "state=runing"}) == 2);
  CHECK(err().find("did you mean state=running?") != std::string::npos);
  CHECK(run({"list", "--filter", "nmae=web"}) == 2);
  CHECK(err().find("write name=PATTERN") != std::string::npos);
  CHECK(run({"list", "--filter", "web"}) == 2);
  CHECK(run({"list", "--sort", "size"}) == 2);
}

TEST_CASE_METHOD(Three, "snapshot list without a machine is of all") {
  auto transcript = this->transcript("snapshot_list/all");
  transcript.run({"snapshot", "list"});
  transcript.run({"snapshot", "list", "--plain"});
  transcript.run({"snapshot", "list", "-q"});
  transcript.run({"snapshot", "list", "web", "-q"});
  transcript.run({"snapshot", "list", "mail", "-q"});
  transcript.check();
}

TEST_CASE_METHOD(Three, "with -q what makes one thing prints its name alone, and an error has no hint") {
  CHECK(run({"-q", "snapshot", "create", "web@next"}) == 0);
  CHECK(out() == "web@next\n");
  CHECK(err().empty());
  CHECK(run({"-q", "import", base(), "copy"}) == 0);
  CHECK(out() == "copy\n");
  CHECK(run({"-q", "reset", "web"}) == 0);
  CHECK(out().find("hrvm undo") == std::string::npos);
  CHECK(run({"-q", "show", "none"}) == 1);
  CHECK(err().find("error:") != std::string::npos);
  CHECK(err().find("hint:") == std::string::npos);
}

TEST_CASE_METHOD(Three, "a store that was mistyped is no store without machines") {
  const auto typo = (folder() / "stroe").string();
  CHECK(run({"--store", typo, "list"}) == 1);
  CHECK(err().find("there is no store at " + typo) != std::string::npos);
  CHECK(run({"--store", typo, "import", base(), "web"}) == 0);
  CHECK(run({"--store", typo, "list", "-q"}) == 0);
  CHECK(out() == "web\n");
}

TEST_CASE_METHOD(Three, "an export to a pipe is the disk's bytes, and refused on a terminal") {
  guest_writes("mail", 1 << 20, 'x');
  REQUIRE(run({"export", "mail", "-"}) == 0);
  CHECK(out().size() == 8 << 20);
  CHECK(out().substr(1 << 20, 4096) == std::string(4096, 'x'));
  CHECK(out().substr(0, 512) == sys::read_file(base(), 16 << 20).substr(0, 512));
  CHECK(run({"export", "mail", "-", "--format", "qcow2"}) == 1);
  host().use_terminal();
  CHECK(run({"export", "mail", "-"}) == 2);
  CHECK(out().empty());
}

TEST_CASE_METHOD(Three, "times are those of TZ for people, and UTC for scripts") {
  host().host().environment["TZ"] = "XYZ-5:30";
  run({"snapshot", "list", "web"});
  CHECK(out().find("2026-02-14 18:11") != std::string::npos);
  run({"snapshot", "list", "web", "--plain"});
  CHECK(out().find("2026-02-14T12:41:07Z") != std::string::npos);
}

TEST_CASE_METHOD(Three, "COLUMNS narrows a table on a terminal, and nothing in a pipe") {
  host().host().environment["COLUMNS"] = "40";
  run({"list"});
  CHECK(out().find(base().string()) != std::string::npos);
  host().use_terminal(200);
  run({"list"});
  CHECK(out().find(base().string()) == std::string::npos);
  CHECK(out().find("…") != std::string::npos);
  host().host().environment["LC_ALL"] = "C";
  run({"list"});
  CHECK(out().find("...") != std::string::npos);
  CHECK(out().find("…") == std::string::npos);
}

TEST_CASE_METHOD(Three, "without UTF-8 help, trees and errors are ASCII") {
  host().host().environment["LC_ALL"] = "C";
  const auto is_ascii = [](const std::string& text) { return text.find_first_of("\xe2\xc3") == std::string::npos; };
  run({"snapshot", "tree", "web"});
  CHECK(out().find("`- fresh") != std::string::npos);
  CHECK(out().find("* now") != std::string::npos);
  CHECK(is_ascii(out()));
  run({"stop", "--help"});
  CHECK(is_ascii(out()));
  run({"show", "größe"});
  CHECK(is_ascii(err()));
}

TEST_CASE("a straight line of snapshots stays in its column") {
  MachineStore store;
  store.add("web");
  for (const auto* name : {"a", "b", "c", "d", "e"}) store.snapshot("web", name);
  store.run({"snapshot", "tree", "web"});
  for (const auto* line : {"\n└─ a ", "\n→  b ", "\n→  e ", "\n→  ● now"})
    CHECK(store.host().out.str().find(line) != std::string::npos);
}

TEST_CASE("help follows the width of the terminal") {
  MachineStore store;
  for (const auto* columns : {"40", "60", "100"}) {
    store.host().host().environment["COLUMNS"] = columns;
    REQUIRE(store.run({"boot", "--help"}) == 0);
    std::istringstream lines(store.host().out.str());
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);) widest = std::max(widest, line.size());
    INFO(columns);
    CHECK(widest <= std::size_t(std::stoi(columns)) + 12);  // a word is not cut, and "…" has three bytes
  }
}

TEST_CASE("the words of other tools are answered with ours, and with nothing that destroys more") {
  MachineStore store;
  const auto hint = [&](const std::string& word) {
    CHECK(store.run({word, "web"}) == 2);
    return store.host().err.str();
  };
  CHECK(hint("start").find("did you mean hrvm boot?") != std::string::npos);
  CHECK(hint("run").find("did you mean hrvm boot?") != std::string::npos);
  CHECK(hint("ps").find("did you mean hrvm list?") != std::string::npos);
  CHECK(hint("rm").find("did you mean hrvm remove?") != std::string::npos);
  CHECK(hint("rollback").find("did you mean hrvm snapshot revert?") != std::string::npos);
  CHECK(hint("restore").find("did you mean hrvm snapshot revert?") != std::string::npos);
  CHECK(hint("shutdown").find("did you mean hrvm stop?") != std::string::npos);
  CHECK(hint("status").find("did you mean hrvm show?") != std::string::npos);
  CHECK(hint("remov").find("did you mean hrvm remove?") != std::string::npos);
  for (const auto* word : {"clone", "copy", "move", "renew", "revise", "restock"}) {
    INFO(word);
    const auto text = hint(word);
    CHECK(text.find("hrvm remove") == std::string::npos);
    CHECK(text.find("hrvm reset") == std::string::npos);
    CHECK(text.find("delete") == std::string::npos);
  }
}
