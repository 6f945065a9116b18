// Types of partitions by name, as fdisk tells them.
#include <catch2/catch.hpp>
#include <string>

#include "probe/table/partition_types.hpp"

using namespace hrvm::probe;

TEST_CASE("every type of the Discoverable Partitions Specification has a name and what it is for") {
  struct Case {
    const char *type, *name, *role;
  };
  const Case cases[] = {
      {"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)", "root"},
      {"60d5a7fe-8e7d-435c-b714-3dd8162144e1", "Linux root (RISC-V-32)", "root"},
      {"8484680c-9521-48c6-9c11-b0720656f69e", "Linux /usr (x86-64)", "usr"},
      {"2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "Linux root verity (x86-64)", "verity"},
      {"41092b05-9fc8-4523-994f-2def0408b176", "Linux root verity sign. (x86-64)", "verity"},
      {"77ff5f63-e7b6-4633-acf4-1565b864c0e6", "Linux /usr verity (x86-64)", "verity"},
      {"e7bb33fb-06cf-4e81-8273-e543b413e2e2", "Linux /usr verity sign. (x86-64)", "verity"},
      {"c23ce4ff-44bd-4b00-b2d4-b41b3419e02a", "Linux /usr verity sign. (ARM-64)", "verity"},
      {"bc13c2ff-59e6-4262-a352-b275fd6f7172", "Linux extended boot", "boot"},
      {"7ec6f557-3bc5-4aca-b293-16ef5df639d1", "Linux temporary data", "data"},
      {"773f91ef-66d4-49b5-bd83-d683bf40ad16", "Linux user's home", "data"},
      {"5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6", "Container Linux /usr", "usr"},
      {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI System", "esp"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.type);
    const PartitionType* type = find_partition_type(each.type);
    REQUIRE(type != nullptr);
    CHECK(type->name == each.name);
    CHECK(type->role == each.role);
  }
  CHECK(find_partition_type("00000000-0000-0000-0000-000000000001") == nullptr);
}
