#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using base::Error;
using base::ErrorKind;

namespace {

struct StoreFixture {
  TemporaryFolder folder;
  TestHost test_host;
  Store store{test_host.host, folder.path() / "store"};

  Path file(const std::string& name) const { return store.folder() / name; }
};

template <typename Action>
Error thrown_by(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::external, "nothing was thrown");
}

unsigned mode_of(const Path& path) { return sys::link_status(path).mode; }

}  // namespace

TEST_CASE_METHOD(StoreFixture, "a store that is not there has no machines and is not made by looking") {
  CHECK(store.names().empty());
  CHECK_FALSE(store.contains("web"));
  CHECK(store.unfinished().empty());
  CHECK_FALSE(std::filesystem::exists(store.folder()));
}

TEST_CASE_METHOD(StoreFixture, "what was committed is what is loaded") {
  stored(store, "web", sample_definition());
  const auto machine = store.load("web");
  CHECK(machine.name == "web");
  CHECK(machine.generation == 1);
  auto expected = sample_definition();
  expected.folder_inode = sys::status(machine.folder).inode;
  CHECK(base::to_text(to_json(machine.definition)) == base::to_text(to_json(expected)));
  CHECK(store.names() == std::vector<std::string>{"web"});
  CHECK_NOTHROW(store.check_files(machine));
}

TEST_CASE_METHOD(StoreFixture, "folders are for their owner alone, and so are definitions") {
  const auto machine = stored(store, "web", fresh_definition());
  for (const auto& path : {store.folder(), machine.folder, machine.folder / "layers", machine.folder / "generations"})
    CHECK(mode_of(path) == 0700);
  CHECK(mode_of(machine.folder / "generations/1.json") == 0600);
}

TEST_CASE_METHOD(StoreFixture, "a commit is the next generation, and the last eight stay") {
  auto definition = fresh_definition();
  stored(store, "web", definition);
  definition.description = "changed";
  const auto machine = store.commit("web", definition);
  CHECK(machine.generation == 2);
  CHECK(store.load("web").definition.description == "changed");
  CHECK(store.garbage(machine).empty());
  for (int i = 0; i < 7; ++i) store.commit("web", definition);
  CHECK(store.garbage(store.load("web")) == std::vector<Path>{machine.folder / "generations/1.json"});
  CHECK(generations_kept == 8);
}

TEST_CASE_METHOD(StoreFixture,
                 "a damaged definition has an older one to go back to, which says what it does not know") {
  auto definition = fresh_definition();
  const auto machine = stored(store, "web", definition);
  for (const auto* text : {"second", "third"}) {
    definition.description = text;
    store.commit("web", definition);
  }
  write_file(machine.folder / "generations/3.json", "{ half");
  write_file(machine.folder / "generations/2.json", "");
  const auto older = store.older_generation("web");
  REQUIRE(older);
  CHECK(older->number == 1);
  CHECK(older->unknown_layers.empty());
  write_file(machine.folder / "layers/00000000000000ee.qcow2", "made since");
  CHECK(store.older_generation("web")->unknown_layers ==
        std::vector<Path>{machine.folder / "layers/00000000000000ee.qcow2"});
  store.go_back("web", *older);
  CHECK(store.load("web").definition.description == fresh_definition().description);
  std::filesystem::remove(machine.active_layer());
  CHECK_FALSE(store.older_generation("web"));
}

TEST_CASE_METHOD(StoreFixture, "a generation that was written and not switched to changes nothing") {
  const auto machine = stored(store, "web", fresh_definition());
  write_file(machine.folder / "generations/2.json", "{ half");
  CHECK(store.load("web").generation == 1);
  CHECK(store.commit("web", fresh_definition()).generation == 2);
  CHECK(store.load("web").generation == 2);
}

TEST_CASE_METHOD(StoreFixture, "a machine that is not there is told with what was meant") {
  stored(store, "web", fresh_definition());
  const auto error = thrown_by([&] { store.load("wbe"); });
  CHECK(error.kind() == ErrorKind::not_found);
  CHECK(error.hint() == "did you mean web?");
}

TEST_CASE_METHOD(StoreFixture, "a name that could leave the store is wrong usage") {
  for (const auto name : {"../etc", ".", "..", "a/b", ""}) {
    CHECK(thrown_by([&] { store.load(name); }).kind() == ErrorKind::usage);
    CHECK(thrown_by([&] { store.begin(name); }).kind() == ErrorKind::usage);
    CHECK(thrown_by([&] { store.lock(name); }).kind() == ErrorKind::usage);
  }
}

TEST_CASE_METHOD(StoreFixture, "a definition that is cut off or gone is told by its file") {
  const auto machine = stored(store, "web", fresh_definition());
  const Path file = machine.folder / "generations/1.json";
  const auto text = sys::read_file(file);
  write_file(file, text.substr(0, text.size() / 2));
  CHECK(thrown_by([&] { store.load("web"); }).kind() == ErrorKind::corrupt);
  CHECK_THAT(thrown_by([&] { store.load("web"); }).message(), Catch::Contains(file.string()));
  std::filesystem::remove(file);
  CHECK(thrown_by([&] { store.load("web"); }).kind() == ErrorKind::corrupt);
  CHECK(thrown_by([&] { store.load("web"); }).path() == file);
}

TEST_CASE_METHOD(StoreFixture, "a link `current` that leads out of the generations is refused") {
  const auto machine = stored(store, "web", fresh_definition());
  for (const auto target : {"generations/../../x.json", "/etc/passwd", "generations/1", "generations/-1.json"}) {
    sys::switch_link(machine.folder / "current", target);
    CHECK(thrown_by([&] { store.load("web"); }).kind() == ErrorKind::corrupt);
  }
}

TEST_CASE_METHOD(StoreFixture, "a layer that is missing is told by its name") {
  const auto machine = stored(store, "web", sample_definition());
  const Path layer = machine.folder / "layers/00000000000000c1.qcow2";
  std::filesystem::remove(layer);
  const auto error = thrown_by([&] { store.check_files(machine); });
  CHECK(error.kind() == ErrorKind::corrupt);
  CHECK(error.path() == layer);
}

TEST_CASE_METHOD(StoreFixture, "garbage is what no definition names, and never what is used") {
  const auto machine = stored(store, "web", sample_definition());
  write_file(machine.folder / "layers/00000000000000ee.qcow2", "left over");
  write_file(machine.folder / "layers/00000000000000ef.qcow2", "left over, but QEMU runs on it");
  write_file(machine.folder / "nvram/00000000000000ee.fd", "left over");
  write_file(machine.folder / "memory/00000000000000ee", "left over of a save that was cut off");
  write_file(machine.folder / ".current.0123.tmp", "left over");
  const Path used = machine.folder / "layers/00000000000000ef.qcow2";
  const auto fd = sys::open_file(used, O_RDWR);
  block::lock_image_exclusively(fd.get(), used);

  store.collect_garbage(machine);
  CHECK(store.garbage(machine).empty());
  CHECK_NOTHROW(store.check_files(machine));
  CHECK(std::filesystem::exists(used));
  CHECK_FALSE(std::filesystem::exists(machine.folder / "layers/00000000000000ee.qcow2"));
  CHECK_FALSE(std::filesystem::exists(machine.folder / "memory/00000000000000ee"));
  CHECK_FALSE(std::filesystem::exists(machine.folder / "nvram/00000000000000ee.fd"));
  CHECK_FALSE(std::filesystem::exists(machine.folder / ".current.0123.tmp"));
}

TEST_CASE_METHOD(StoreFixture, "a throw-away folder goes once nobody locks it") {
  const auto machine = stored(store, "web", fresh_definition());
  write_file(machine.folder / "tmp/aa/layer.qcow2", "used");
  write_file(machine.folder / "tmp/bb/layer.qcow2", "left over");
  auto used = sys::Lock::try_take(machine.folder / "tmp/aa", sys::Lock::Mode::exclusive);
  REQUIRE(used);
  CHECK(throw_away_folders(machine, true) == std::vector<Path>{machine.folder / "tmp/aa"});
  CHECK(throw_away_folders(machine, false) == std::vector<Path>{machine.folder / "tmp/bb"});
  store.collect_throw_away();
  CHECK(std::filesystem::exists(machine.folder / "tmp/aa/layer.qcow2"));
  CHECK_FALSE(std::filesystem::exists(machine.folder / "tmp/bb"));
  used.reset();
  store.collect_throw_away();
  CHECK_FALSE(std::filesystem::exists(machine.folder / "tmp/aa"));
}

TEST_CASE_METHOD(StoreFixture, "a machine that is being changed is busy for everybody else") {
  stored(store, "web", fresh_definition());
  const auto lock = store.lock("web");
  CHECK(thrown_by([&] { store.lock("web"); }).kind() == ErrorKind::busy);
}

TEST_CASE_METHOD(StoreFixture, "an import under a name that is taken is refused and touches nothing") {
  const auto machine = stored(store, "web", sample_definition());
  CHECK(thrown_by([&] { store.begin("web"); }).kind() == ErrorKind::exists);
  CHECK_NOTHROW(store.check_files(store.load("web")));
}

TEST_CASE_METHOD(StoreFixture, "an import that did not finish is no machine, and the next one removes it") {
  {
    const auto lock = store.begin("web");
    write_file(file("web/layers/00000000000000aa.qcow2"), "half");
    write_file(file("web/consoles/1.log"), "said");
    CHECK(store.unfinished().empty());
    CHECK(thrown_by([&] { store.begin("web"); }).kind() == ErrorKind::busy);
  }
  CHECK(store.names().empty());
  CHECK(store.unfinished() == std::vector<Path>{file("web")});
  const auto lock = store.begin("web");
  CHECK(sys::list_directory(file("web/layers")).empty());
}

TEST_CASE_METHOD(StoreFixture, "a person's own folder in the store is left alone") {
  write_file(file("photos/beach.jpg"), "sun");
  write_file(file("lost+found/x"), "");
  CHECK(store.names().empty());
  CHECK(store.unfinished().empty());
  store.collect_unfinished();
  CHECK(std::filesystem::exists(file("photos/beach.jpg")));
  CHECK(thrown_by([&] { store.begin("photos"); }).kind() == ErrorKind::exists);
  CHECK(std::filesystem::exists(file("photos/beach.jpg")));
}

TEST_CASE_METHOD(StoreFixture, "a removed machine is gone with all its files") {
  stored(store, "web", sample_definition());
  store.remove("web");
  CHECK(store.names().empty());
  CHECK(sys::list_directory(store.folder()).empty());
}

TEST_CASE_METHOD(StoreFixture, "a removal that did not end is ended by the next import") {
  stored(store, "web", sample_definition());
  sys::rename_durably(file("web"), file(".removed-0011"));
  CHECK(store.names().empty());
  store.begin("other");
  CHECK_FALSE(std::filesystem::exists(file(".removed-0011")));
}

TEST_CASE_METHOD(StoreFixture, "a renamed machine keeps its files, and a taken name stays as it was") {
  stored(store, "web", sample_definition());
  stored(store, "mail", fresh_definition());
  CHECK(thrown_by([&] { store.rename("web", "mail"); }).kind() == ErrorKind::exists);
  CHECK(thrown_by([&] { store.rename("web", "A/B"); }).kind() == ErrorKind::usage);
  store.rename("web", "site");
  CHECK(store.names() == std::vector<std::string>{"mail", "site"});
  CHECK_NOTHROW(store.check_files(store.load("site")));
}

TEST_CASE_METHOD(StoreFixture, "a machine runs while somebody has its active layer open for writing") {
  const auto machine = stored(store, "web", fresh_definition());
  CHECK(run_state(machine) == RunState::stopped);
  const auto fd = sys::open_file(machine.active_layer(), O_RDWR);
  block::lock_image_exclusively(fd.get(), machine.active_layer());
  CHECK(run_state(machine) == RunState::running);
  CHECK(written_layer(machine) == machine.active_layer());
}

TEST_CASE_METHOD(StoreFixture, "a machine runs while any layer of any of its disks is open for writing") {
  auto definition = sample_definition();
  definition.disks.push_back(sample_base());
  const auto machine = stored(store, "web", definition);
  for (const auto& layer : {machine.layer_path("00000000000000a1", 1), machine.layer_path("00000000000000c2"),
                            machine.layer_path("00000000000000c1", 1), machine.layer_path("00000000000000b1")}) {
    INFO(layer);
    CHECK(run_state(machine) == RunState::stopped);
    const auto fd = sys::open_file(layer, O_RDWR);
    block::lock_image_exclusively(fd.get(), layer);
    CHECK(run_state(machine) == RunState::running);
    CHECK(written_layer(machine) == layer);
  }
}

TEST_CASE_METHOD(StoreFixture, "who reads a layer does not run the machine") {
  const auto machine = stored(store, "web", sample_definition());
  const auto fd = sys::open_file(machine.active_layer(), O_RDONLY);
  block::lock_image_for_reading(fd.get(), machine.active_layer());
  CHECK(run_state(machine) == RunState::stopped);
}

TEST_CASE("the store is where the user's rights and environment say") {
  TestHost test_host;
  auto& host = test_host.host;
  CHECK(default_store(host) == "/var/lib/hrvm");
  host.uid = 1000;
  host.environment = {{"HOME", "/home/ann"}};
  CHECK(default_store(host) == "/home/ann/.local/share/hrvm");
  host.environment["XDG_DATA_HOME"] = "/data";
  CHECK(default_store(host) == "/data/hrvm");
  host.environment = {};
  CHECK_THROWS_AS(default_store(host), Error);
}
