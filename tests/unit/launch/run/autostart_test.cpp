#include "hrvm/launch/autostart.hpp"

#include <catch2/catch.hpp>

#include "support/failing.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using Words = std::vector<std::string>;

TEST_CASE("a machine has a unit where a link of systemd says so") {
  const test::TemporaryDirectory folder;
  test::TestHost host(folder.path());
  CHECK_FALSE(is_unit_installed(host.host()));
  CHECK(machines_with_unit(host.host()).empty());
  folder.write("usr/lib/systemd/system/hrvm@.service", "");
  folder.write("etc/systemd/system/multi-user.target.wants/hrvm@web.example.service", "");
  folder.write("etc/systemd/system/multi-user.target.wants/ssh.service", "");
  folder.write("etc/systemd/system/local.target.requires/hrvm@db.service", "");
  folder.write("etc/systemd/system/hrvm@other.service.d/store.conf", "");
  CHECK(is_unit_installed(host.host()));
  CHECK(machines_with_unit(host.host()) == Words{"db", "web.example"});
  CHECK(has_unit(host.host(), "db"));
  CHECK_FALSE(has_unit(host.host(), "web"));
}

TEST_CASE("systemctl enables and disables it, and says why it does not") {
  test::TestHost host;
  host.runner.on("systemctl", [](const sys::Command&) { return sys::Result{}; });
  enable_unit(host.host(), "web", true);
  CHECK(host.runner.calls.back().command.argv == Words{"systemctl", "--quiet", "enable", "hrvm@web.service"});
  enable_unit(host.host(), "web", false);
  CHECK(host.runner.calls.back().command.argv == Words{"systemctl", "--quiet", "disable", "hrvm@web.service"});
  host.runner.answer("systemctl", {.exit_status = 1, .err = "Failed to enable unit: no such file\n"});
  const auto error = test::error_of([&] { enable_unit(host.host(), "web", true); });
  CHECK(error.message() == "systemctl enable hrvm@web.service failed: Failed to enable unit: no such file");
}
