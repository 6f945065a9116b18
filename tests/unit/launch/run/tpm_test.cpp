#include "hrvm/launch/tpm.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"
#include "unit/launch/sample_plan.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using namespace std::chrono_literals;
using hrvm::launch::testing::Sample;

namespace {

struct Chip {
  bool installed() const { return !tpm.program.empty(); }
  bool is_free(std::chrono::milliseconds patience) const {
    return sys::Lock::try_take(tpm.state_folder, sys::Lock::Mode::exclusive, patience).has_value();
  }

  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  sys::Host real = sys::real_host(*runner);
  test::TemporaryDirectory folder;
  Tpm tpm{real.find_program("swtpm").value_or(""), folder / "tpm", folder / "tpm.sock", folder / "tpm.pid"};
};

}  // namespace

TEST_CASE_METHOD(Chip, "a TPM to which nobody ever connects ends with the last who holds its lifeline") {
  REQUIRE(installed());
  auto lifeline = start_tpm(real, tpm, {});
  CHECK(sys::status(tpm.socket).type == sys::FileType::other);
  CHECK_FALSE(is_free(1s));
  lifeline.reset();
  CHECK(is_free(4s));
}

TEST_CASE_METHOD(Chip, "the next TPM waits for the one before, and takes its place") {
  REQUIRE(installed());
  start_tpm(real, tpm, {}).reset();
  CHECK_NOTHROW(start_tpm(real, tpm, {}));
  CHECK(is_free(4s));
}

TEST_CASE_METHOD(Chip, "swtpm that does not start is an error with its own words, and has nothing locked") {
  REQUIRE(installed());
  tpm.socket = folder / "no such folder" / "tpm.sock";
  try {
    start_tpm(real, tpm, {});
    FAIL("it started");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::external);
    CHECK_THAT(error.message(), Catch::Contains("swtpm did not start") && Catch::Contains("No such file"));
  }
  CHECK(is_free(0s));
}

TEST_CASE_METHOD(Chip, "what a TPM remembers is copied, without its lock file") {
  folder.write("tpm/tpm2-00.permall", "secret");
  folder.write("tpm/.lock", "");
  copy_tpm_state(tpm.state_folder, folder / "copy");
  CHECK(sys::list_directory(folder / "copy") == std::vector<std::string>{"tpm2-00.permall"});
  CHECK(sys::read_file(folder / "copy/tpm2-00.permall") == "secret");
  CHECK(sys::status(folder / "copy/tpm2-00.permall").mode == 0600);
  copy_tpm_state(folder / "never started", folder / "another copy");
  CHECK(sys::list_directory(folder / "another copy").empty());
}

TEST_CASE_METHOD(Sample, "a machine with a TPM wants swtpm, and is told what to install") {
  request.hardware.tpm = true;
  CHECK(plan().companions.tpm->socket == host.run_folder / "tpm.sock");
  host.swtpm.clear();
  try {
    plan();
    FAIL("it was planned");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::not_found);
    CHECK_THAT(error.hint(), Catch::Contains("apt install swtpm"));
  }
  request.hardware.tpm = false;
  CHECK_FALSE(plan().companions.tpm);
}
