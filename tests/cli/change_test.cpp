// What a person sees who imports a disk, changes the machine, and goes back.
#include <catch2/catch.hpp>

#include "cli/golden.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "support/disk_writer.hpp"
#include "support/recorded_machines.hpp"

using namespace hrvm;
using test::recorded_machine;
using test::RecordedMachine;
using test::TemporaryDirectory;
using test::TestHost;
using test::Transcript;

namespace {

// A recorded machine with a store of its own beside it.
class Session {
 public:
  Session(const std::filesystem::path& root, const std::string& golden) : host(root), transcript_(host, golden) {
    host.host().environment["HRVM_STORE"] = store.path();
    transcript_.replace(store.path(), "STORE");
  }
  int run(const std::vector<std::string>& words) { return transcript_.run(words); }
  // Without being written down.
  int prepare(const std::vector<std::string>& words) {
    const int status = cli::run(host.host(), words);
    INFO(host.err.str());
    host.forget();
    return status;
  }
  void check() const { transcript_.check(); }
  machine::Machine machine(const std::string& name) { return machine::Store(host.host(), store.path()).load(name); }

  TestHost host;
  TemporaryDirectory store;

 private:
  Transcript transcript_;
};

const std::string sda = "/dev/sda";

}  // namespace

TEST_CASE("an import says what was decided and why, and what to type next") {
  Session session(recorded_machine("server").root(), "import/server");
  CHECK(session.run({"import", sda, "--dry-run"}) == 0);
  CHECK(session.store.names().empty());
  CHECK(session.run({"import", sda}) == 0);
  CHECK(session.run({"import", "/dev/sdb"}) == 4);
  CHECK(session.run(
            {"import", "/dev/sdb", "zfs", "--memory", "2G", "--cpus", "1", "--net", "nat", "--allow-partial"}) == 0);
  CHECK(session.run({"import", sda, "--plain"}) == 0);
  session.check();
}

TEST_CASE("an import that is refused says which option allows it") {
  Session laptop(recorded_machine("laptop").root(), "import/in_use");
  CHECK(laptop.run({"import", "/dev/nvme0n1"}) == 4);
  CHECK(laptop.run({"import", "/dev/nvme0n1p3"}) == 4);
  laptop.check();
  Session live(recorded_machine("live").root(), "import/volatile");
  CHECK(live.run({"--store", "/nonexistent/machines", "import", sda}) == 4);
  CHECK(live.prepare({"import", sda, "--allow-volatile"}) == 0);
  live.check();
}

TEST_CASE("words of an import that cannot be are wrong usage") {
  Session session(recorded_machine("server").root(), "import/wrong_usage");
  CHECK(session.run({"import", sda, "Web Server"}) == 2);
  CHECK(session.run({"import", sda, "--memory", "12"}) == 2);
  CHECK(session.run({"import", sda, "--cpus", "0"}) == 2);
  CHECK(session.run({"import", sda, "--net", "bridge"}) == 2);
  CHECK(session.run({"import", sda, "--firmware", "efi"}) == 2);
  CHECK(session.store.names().empty());
  session.check();
}

TEST_CASE("reset and undo say where the machine is now and how to take it back") {
  Session session(recorded_machine("server").root(), "reset/and_undo");
  session.prepare({"import", sda, "web"});
  CHECK(session.run({"undo", "web"}) == 1);
  CHECK(session.run({"reset", "web", "--dry-run"}) == 0);
  CHECK(session.run({"reset", "web"}) == 0);
  CHECK(session.run({"undo", "web"}) == 0);
  CHECK(session.run({"reset", "web", "--discard"}) == 2);
  CHECK(session.run({"reset", "web", "--discard", "--yes", "--json"}) == 0);
  CHECK(session.run({"undo", "web"}) == 1);
  CHECK(session.run({"reset", "wbe"}) == 1);
  session.check();
}

TEST_CASE("the log tells what was done, and what each step holds for undo") {
  Session session(recorded_machine("server").root(), "log/steps");
  session.prepare({"import", sda, "web"});
  session.prepare({"set", "web", "memory=1G", "cpus=1"});
  session.prepare({"snapshot", "create", "web@fresh"});
  session.prepare({"reset", "web"});
  CHECK(session.run({"log", "web"}) == 0);
  CHECK(session.run({"undo", "web", "--discard", "--step", "9", "--yes"}) == 1);
  CHECK(session.run({"undo", "web"}) == 0);
  CHECK(session.run({"undo", "web", "--step", "1"}) == 1);
  CHECK(session.run({"log", "web", "--json"}) == 0);
  CHECK(session.run({"undo", "web", "--discard"}) == 2);
  CHECK(session.run({"undo", "web", "--discard", "--yes"}) == 0);
  CHECK(session.run({"log", "web", "--plain"}) == 0);
  session.check();
}

TEST_CASE("the log prints what a run said on its serial line, the newest or one before it") {
  Session session(recorded_machine("server").root(), "log/console");
  session.prepare({"import", sda, "web"});
  CHECK(session.run({"log", "web", "--console"}) == 1);
  session.store.write("web/consoles/9.log", "\x1b[2Jninth run\r\nlogin: ");
  CHECK(session.run({"log", "web", "--console", "--boot", "-1"}) == 1);
  session.store.write("web/consoles/10.log", "");
  session.store.write("web/consoles/11.log", "eleventh run\n");
  CHECK(session.run({"log", "web", "--console"}) == 0);
  CHECK(session.run({"log", "web", "--console", "--boot", "0", "-f"}) == 0);
  CHECK(session.run({"log", "web", "--console", "--boot", "-1"}) == 0);
  CHECK(session.run({"log", "web", "--console", "--boot=1", "--json"}) == 0);
  session.host.host().streams.out_is_terminal = true;
  CHECK(session.run({"log", "web", "--console", "--boot=-2"}) == 0);
  CHECK(session.run({"log", "web", "--console", "--boot", "-3"}) == 1);
  CHECK(session.run({"log", "web", "--console", "--boot", "4"}) == 1);
  CHECK(session.run({"log", "web", "--console", "--boot", "last"}) == 2);
  CHECK(session.run({"log", "web", "--follow"}) == 2);
  CHECK(session.run({"log", "web", "--console", "-f", "--json"}) == 2);
  session.check();
}

TEST_CASE("what a run printed goes to a pipe byte for byte") {
  Session session(recorded_machine("server").root(), "log/raw");
  session.prepare({"import", sda, "web"});
  session.store.write("web/consoles/1.log", "\x1b[2Jone\r\n\xff");
  CHECK(cli::run(session.host.host(), {"log", "web", "--console"}) == 0);
  CHECK(session.host.out.str() == "\x1b[2Jone\r\n\xff");
}

TEST_CASE("snapshots are made, gone back to and deleted by name") {
  Session session(recorded_machine("server").root(), "snapshot/life");
  session.prepare({"import", sda, "web"});
  CHECK(session.run({"snapshot", "create", "web@fresh", "-m", "as imported"}) == 0);
  CHECK(session.run({"snapshot", "create", "web@fresh"}) == 1);
  CHECK(session.run({"snapshot", "create", "web"}) == 2);
  CHECK(session.run({"snapshot", "create", "web@tuned"}) == 0);
  CHECK(session.run({"snapshot", "revert", "web@fersh"}) == 1);
  CHECK(session.run({"snapshot", "revert", "web@fresh", "--dry-run"}) == 0);
  CHECK(session.run({"snapshot", "revert", "web@fresh"}) == 0);
  CHECK(session.run({"snapshot", "delete", "web@fresh", "--yes"}) == 0);
  CHECK(session.run({"snapshot", "tree", "web"}) == 0);
  CHECK(session.run({"snapshot", "list", "web"}) == 0);
  CHECK(session.run({"snapshot", "list", "web", "--json"}) == 0);
  CHECK(session.run({"boot", "web@~0000000000000001", "--print"}) == 2);
  CHECK(session.run({"snapshot", "delete", "web@fresh", "--yes"}) == 1);
  CHECK(session.run({"snapshot", "delete", "web@tuned", "--yes", "--dry-run"}) == 0);
  CHECK(session.run({"snapshot", "delete", "web@tuned", "--yes"}) == 0);
  session.check();
}

TEST_CASE("a machine that runs is not changed") {
  Session session(recorded_machine("server").root(), "reset/running");
  session.prepare({"import", sda, "web"});
  session.prepare({"snapshot", "create", "web@fresh"});
  const auto layer = session.machine("web").active_layer();
  const auto fd = sys::open_for_update(layer);
  block::lock_image_exclusively(fd.get(), layer);
  CHECK(session.run({"reset", "web"}) == 1);
  CHECK(session.run({"undo", "web"}) == 1);
  CHECK(session.run({"snapshot", "create", "web@x"}) == 1);
  CHECK(session.run({"snapshot", "revert", "web@fresh"}) == 1);
  session.check();
}

TEST_CASE("a disk that changed stops going back to layers made before, and a reset goes on with it") {
  RecordedMachine server("server");
  Session session(server.root(), "reset/drift");
  session.prepare({"import", sda, "web"});
  session.prepare({"snapshot", "create", "web@fresh"});
  test::write_at(server.file(sda), 1 << 20, "written behind hrvm's back");
  CHECK(session.run({"snapshot", "revert", "web@fresh"}) == 4);
  CHECK(session.run({"reset", "web", "--to", "fresh"}) == 4);
  CHECK(session.run({"snapshot", "revert", "web@fresh", "--force"}) == 0);
  CHECK(session.run({"reset", "web"}) == 0);
  CHECK(session.run({"undo", "web"}) == 4);
  std::filesystem::remove(server.file(sda));
  CHECK(session.run({"snapshot", "revert", "web@fresh"}) == 1);
  session.check();
}
