#include <unistd.h>

#include <catch2/catch.hpp>

#include "hrvm/sys/runner.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace std::string_literals;

TEST_CASE("a recorded machine's paths lie under its root and come back from there") {
  test::TestHost machine("/records/laptop");
  const sys::Host& host = machine.host();
  CHECK(host.is_recorded());
  CHECK(host.path("/sys/block") == "/records/laptop/sys/block");
  CHECK(host.host_path("/records/laptop/sys/block") == "/sys/block");
  CHECK(host.host_path("/records/laptop") == "/");
  CHECK(host.host_path("/records/laptop2/sys") == "/records/laptop2/sys");
}

TEST_CASE("a slash at the end of the root changes nothing") {
  test::TestHost machine("/records/laptop/");
  CHECK(machine.host().path("/sys") == "/records/laptop/sys");
  CHECK(machine.host().host_path("/records/laptop/sys") == "/sys");
}

TEST_CASE("paths of the host itself are what they are") {
  test::TestHost machine;
  CHECK_FALSE(machine.host().is_recorded());
  CHECK(machine.host().path("/sys") == "/sys");
  CHECK(machine.host().host_path("/sys") == "/sys");
}

TEST_CASE("of several places the first that is there is told as the host calls it") {
  const test::TemporaryDirectory root;
  root.write("/usr/share/second", "");
  root.write("/usr/share/third", "");
  test::TestHost machine(root.path());
  CHECK(machine.host().first_existing({"/usr/share/first", "/usr/share/second", "/usr/share/third"}) ==
        "/usr/share/second"s);
  CHECK_FALSE(machine.host().first_existing({"/usr/share/first"}));
}

TEST_CASE("a program is found on PATH under the root, in PATH's order") {
  const test::TemporaryDirectory root;
  root.program("/usr/bin/qemu-img");
  root.program("/opt/bin/qemu-img");
  test::TestHost machine(root.path());
  machine.host().environment["PATH"] = "/opt/bin:/usr/bin";
  CHECK(machine.host().find_program("qemu-img") == "/opt/bin/qemu-img"s);
  CHECK_FALSE(machine.host().find_program("sh"));
}

TEST_CASE("a program is found in the folders of root, on PATH or not, and without a PATH too") {
  const test::TemporaryDirectory root;
  root.program("/usr/sbin/zpool");
  root.program("/bin/sh");
  test::TestHost machine(root.path());
  machine.host().environment["PATH"] = "/usr/bin";
  CHECK(machine.host().find_program("zpool") == "/usr/sbin/zpool"s);
  machine.host().environment.clear();
  CHECK(machine.host().find_program("sh") == "/bin/sh"s);
}

TEST_CASE("only an executable file is a program") {
  const test::TemporaryDirectory root;
  root.write("/usr/bin/text", "");
  root.write("/usr/bin/folder/file", "");
  test::TestHost machine(root.path());
  CHECK_FALSE(machine.host().find_program("text"));
  CHECK_FALSE(machine.host().find_program("folder"));
}

TEST_CASE("a variable that is set to nothing is not one that is not set") {
  test::TestHost machine;
  machine.host().environment["HRVM_STORE"] = "";
  CHECK(machine.host().variable("HRVM_STORE") == ""s);
  CHECK_FALSE(machine.host().variable("HRVM_OTHER"));
}

TEST_CASE("the real host knows this process") {
  ::setenv("HRVM_TEST_WORD", "a=b", 1);
  const auto runner = sys::make_process_runner();
  const sys::Host host = sys::real_host(*runner);
  CHECK(host.variable("HRVM_TEST_WORD") == "a=b"s);
  CHECK(host.uid == ::geteuid());
  CHECK(host.streams.columns > 0);
  CHECK(host.now() > base::parse_time("2024-01-01T00:00:00Z").value());
  CHECK(host.new_guid() != host.new_guid());
}
