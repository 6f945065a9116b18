#include <fmt/core.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/files.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

constexpr uid_t nobody_yet = 424242, somebody_else = 1;

// Of a user whose number nobody has, so that there is nothing of his.
struct User {
  TemporaryFolder folder;
  TestHost test_host;
  Definition definition = fresh_definition();

  User() {
    test_host.host.uid = nobody_yet;
    test_host.host.environment["HOME"] = folder.path();
  }
  Path parent() const { return run_folder(test_host.host, definition).parent_path(); }
};

}  // namespace

TEST_CASE_METHOD(User, "sockets lie in XDG_RUNTIME_DIR where that is, or can be made, the user's own folder") {
  auto& runtime = test_host.host.environment["XDG_RUNTIME_DIR"];
  const Path temporary = fmt::format("/tmp/hrvm-{}", nobody_yet);
  CHECK(parent() == temporary);
  runtime = folder.path() / "run";
  CHECK(parent() == folder.path() / "run/hrvm");
  sys::make_directories(runtime);
  CHECK(parent() == folder.path() / "run/hrvm");
  sys::switch_link(folder.path() / "link", folder.path() / "run");
  runtime = folder.path() / "link";
  CHECK(parent() == temporary);
  runtime = "relative";
  CHECK(parent() == temporary);
  test_host.host.uid = 0;
  CHECK(parent() == "/run/hrvm");
}

TEST_CASE_METHOD(User, "sockets do not lie in a folder of somebody else's in /tmp") {
  if (::geteuid() != 0) {
    WARN("needs root, who can give a folder away");
    return;
  }
  const Path temporary = fmt::format("/tmp/hrvm-{}", nobody_yet);
  sys::make_directories(temporary);
  CHECK(parent() == temporary);
  REQUIRE(::chown(temporary.c_str(), somebody_else, somebody_else) == 0);
  CHECK(parent() == folder.path() / ".cache/hrvm/run");
  ::rmdir(temporary.c_str());
}
