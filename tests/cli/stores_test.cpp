// The stores that hrvm's releases left (tests/support/make-store.sh), opened by this hrvm.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

namespace hrvm::test {
namespace {

std::set<std::string> releases() {
  std::set<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(HRVM_SOURCE_DIR "/tests/corpus/stores"))
    all.insert(entry.path().string());
  return all;
}

// A store unpacked anew. Its definitions name the disks where they lie now.
class OldStore {
 public:
  explicit OldStore(const std::string& archive) {
    run_program({"tar", "-xzf", archive, "-C", folder_.path().string()});
    const auto was = std::string(base::trim(sys::read_file(folder_ / "folder")));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "store"))
      if (entry.path().extension() == ".json") move(entry.path(), was);
  }

  machine::Machine machine(const std::string& name) {
    return machine::Store(host_.host(), folder_ / "store").load(name);
  }
  int run(std::vector<std::string> words) {
    words.insert(words.begin(), {"--store", (folder_ / "store").string()});
    host_.forget();
    return cli::run(host_.host(), words);
  }
  base::Json json(std::vector<std::string> words) {
    words.emplace_back("--json");
    run(std::move(words));
    return base::parse_json(host_.out.str(), "the result");
  }

 private:
  void move(const std::filesystem::path& file, const std::string& was) const {
    auto text = sys::read_file(file);
    for (auto at = text.find(was); at != text.npos; at = text.find(was, at + folder_.path().string().size()))
      text.replace(at, was.size(), folder_.path().string());
    folder_.write(file.lexically_relative(folder_.path()).string(), text);
  }

  TemporaryDirectory folder_;
  TestHost host_;
};

}  // namespace

TEST_CASE("the store of every release is listed and shown") {
  for (const auto& release : releases()) {
    INFO(release);
    OldStore store(release);
    const auto list = store.json({"list"});
    REQUIRE(list["machines"].items().size() == 3);
    for (const auto& each : list["machines"].items()) CHECK(each["state"] == "stopped");
    const auto web = store.json({"show", "web"})["machines"].items().at(0);
    CHECK(web["base"]["drift"] == "none");
    CHECK(web["memory_bytes"] == std::uint64_t(2) << 30);
    CHECK(web["net"] == "nat");
    CHECK(store.run({"show", "db"}) == 0);
    CHECK(store.run({"show", "guest"}) == 0);
  }
}

TEST_CASE("the hardware that a release kept is what this hrvm reads") {
  for (const auto& release : releases()) {
    INFO(release);
    OldStore store(release);
    const auto web = store.machine("web").definition;
    const auto& tuned = web.find_snapshot("tuned")->hardware;
    CHECK(tuned.memory_bytes == 3ull << 30);
    CHECK(tuned.cpus == 4);
    CHECK(tuned.cpu == "host,-vmx");
    CHECK(tuned.bus == machine::Bus::sata);
    CHECK(tuned.machine == machine::MachineType::pc);
    CHECK(tuned.clock == machine::Clock::localtime);
    CHECK(tuned.hyperv);
    CHECK(tuned.tpm);
    REQUIRE(web.held_steps().size() == 1);
    CHECK(web.log[0].held->head == "tuned");
    const auto db = store.machine("db").definition;
    CHECK(db.disks[0].format == machine::BaseFormat::qcow2);
    REQUIRE(db.disks.size() == 3);
    CHECK(db.disks[2].is_empty());
    CHECK(db.active.hardware.secure_boot == machine::SecureBoot::on);
    CHECK(db.active.hardware.network == machine::Network{machine::NetworkKind::bridge, "br0"});
    CHECK(db.active.hardware.disks.size() == 1);
    CHECK(db.active.hardware.iso->boots_first);
    CHECK(store.machine("guest").definition.disks[0].is_folder());
  }
}

TEST_CASE("the store of every release goes on with this hrvm") {
  for (const auto& release : releases()) {
    INFO(release);
    OldStore store(release);
    const auto snapshots = store.json({"snapshot", "list", "web"})["snapshots"].items();
    REQUIRE(snapshots.size() == 2);
    CHECK(snapshots[0]["name"] == "fresh");
    CHECK(snapshots[1]["parent"] == "fresh");
    CHECK(store.run({"set", "web", "memory=5G", "net=none"}) == 0);
    CHECK(store.machine("web").definition.active.hardware.memory_bytes == 5ull << 30);
    CHECK(store.run({"undo", "web"}) == 0);
    CHECK(store.machine("web").definition.active.head == "tuned");
    CHECK(store.run({"set", "db", "iso=", "secure-boot=off"}) == 0);
    CHECK(store.run({"set", "guest", "cpus=3"}) == 0);
    CHECK(store.run({"list"}) == 0);
  }
}

}  // namespace hrvm::test
