// Layers of a folder, with the kernel's own overlayfs as what makes them and as the oracle of what they show. Needs
// root.
#include <unistd.h>
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/overlay.hpp"
#include "support/skipping.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto listing =
    "find . ! -name . -printf '%P %y %m %U:%G %l\\n' | sort; find . -type f | sort | xargs cat; "
    "find . -type d ! -name . -printf '%P %T@\\n' | sort";

struct Stack {
  Stack() {
    write_file(base / "etc/motd", "welcome\n");
    write_file(base / "etc/conf.d/a", "a\n");
    write_file(base / "etc/conf.d/b", "b\n");
    write_file(base / "usr/bin/tool", "tool\n");
    write_file(base / "var/file", "file\n");
    std::filesystem::create_directory_symlink("usr/bin", base / "bin");
    std::filesystem::create_directories(folder.path() / "mnt");
  }

  Path layer(const std::string& name) const { return folder.path() / (name + ".folder"); }

  void add_layer(const std::string& name, const Path& below) {
    make_folder_layer(layer(name), below);
    layers.insert(layers.begin(), layer(name));
  }

  // What a shell says in the stack, whose topmost layer takes what it changes.
  std::string run(const std::string& script) {
    sys::OverlayMount overlay{{}, upper_of(layers.front()), work_of(layers.front()), folder.path() / "mnt"};
    for (std::size_t i = 1; i < layers.size(); ++i) overlay.lowers.push_back(upper_of(layers[i]));
    overlay.lowers.push_back(base);
    sys::AtomicFile words(folder.path() / "words");
    const auto command = "cd " + overlay.mount_point.string() + " && set -e; " + script;
    auto child = sys::spawn_in_overlay(*runner, {{"sh", "-c", command}, {}, {}}, overlay, words.fd());
    const auto status = child.wait(30s);
    words.commit();
    auto text = sys::read_file(folder.path() / "words", 1 << 20);
    INFO(text);
    REQUIRE(status == 0);
    return text;
  }

  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  TemporaryFolder folder;
  Path base = folder.path() / "base";
  std::vector<Path> layers;  // topmost first
};

bool is_root() { return ::geteuid() == 0; }

}  // namespace

TEST_CASE_METHOD(Stack, "two layers merged show what they showed on each other") {
  if (!is_root()) HRVM_SKIP("needs root");
  add_layer("one", base);
  run("rm etc/motd; echo changed > etc/conf.d/a; rm -r var; mkdir var; echo x > var/x; mkdir -p new/deep; "
      "echo 1 > new/deep/1; ln usr/bin/tool usr/bin/link; mkdir gone; echo y > gone/y; mkdir kept; echo z > kept/z");
  add_layer("two", upper_of(layer("one")));
  run("echo again > etc/motd; rm etc/conf.d/b; rm -r gone new; echo file > new; rm var/x; mkdir var/x; echo in > "
      "var/x/in; "
      "rm -r kept; mkdir kept; echo fresh > kept/fresh; chmod 700 usr; mkfifo pipe; ln -s /etc link; rm usr/bin/link");
  const auto before = run(listing);
  merge_folder_layers(layer("one"), layer("two"), layer("merged"));
  layers = {layer("merged")};
  CHECK(run(listing) == before);
}

TEST_CASE_METHOD(Stack, "a merge leaves both layers as they were, so that one that is cut off costs nothing") {
  if (!is_root()) HRVM_SKIP("needs root");
  add_layer("one", base);
  run("echo 1 > etc/one; rm usr/bin/tool");
  add_layer("two", upper_of(layer("one")));
  run("echo 2 > etc/two");
  const auto before = run(listing);
  merge_folder_layers(layer("one"), layer("two"), layer("merged"));
  std::filesystem::remove_all(layer("merged"));
  CHECK(run(listing) == before);
}

TEST_CASE_METHOD(Stack, "a merged layer lies on another as the two did") {
  if (!is_root()) HRVM_SKIP("needs root");
  add_layer("zero", base);
  run("echo zero > etc/zero; mkdir -p opt/a; echo 0 > opt/a/0");
  add_layer("one", upper_of(layer("zero")));
  run("rm etc/zero; rm -r opt/a");
  add_layer("two", upper_of(layer("one")));
  run("mkdir opt/a; echo 2 > opt/a/2");
  const auto before = run(listing);
  merge_folder_layers(layer("one"), layer("two"), layer("merged"));
  layers = {layer("merged"), layer("zero")};
  CHECK(run(listing) == before);
}

TEST_CASE_METHOD(Stack, "the base is not changed by what is written above it, and its own change shows") {
  if (!is_root()) HRVM_SKIP("needs root");
  const auto before = read_folder_fingerprint(base, {});
  add_layer("one", base);
  run("echo more >> etc/motd; rm -r usr; chmod 0 var");
  CHECK(read_folder_fingerprint(base, {}) == before);
  write_file(base / "etc/motd", "welcome\n");
  const auto moved = reasons(compare(before, read_folder_fingerprint(base, {})));
  CHECK(moved == std::vector<std::string>{"etc was written since"});
}

TEST_CASE_METHOD(Stack, "an overlay that cannot be mounted is an error that says so") {
  if (!is_root()) HRVM_SKIP("needs root");
  add_layer("one", base);
  std::filesystem::remove_all(work_of(layer("one")));
  CHECK_THROWS_WITH(run("true"), Catch::Contains("mount an overlay"));
}
