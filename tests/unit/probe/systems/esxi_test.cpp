#include <catch2/catch.hpp>

#include "probe/systems/systems.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

std::optional<System> system_of(const std::string& config) {
  test::MemoryFiles bank(test::Names::ignoring_case);
  bank.add("/BOOT.CFG", config);
  std::vector<base::Finding> findings;
  return detect_esxi({bank, "p5", findings});
}

}  // namespace

TEST_CASE("a boot bank of ESXi is told with its version, one that was never started and an installer are none") {
  const std::string bank = "title=Loading VMware ESXi\ntimeout=5\nkernel=b.b00\nbuild=7.0.3-0.20.19193900\n";
  const auto system = system_of("bootstate=0\n" + bank);
  REQUIRE(system);
  CHECK(system->pretty == "VMware ESXi 7.0.3");
  CHECK(system->family == SystemFamily::unknown);
  CHECK_FALSE(system_of("bootstate=3\n" + bank));
  CHECK_FALSE(system_of("title=Loading ESXi installer\nkernel=/b.b00\n"));
  CHECK_FALSE(system_of("title=Something else\nkernel=/b.b00\n"));
}
