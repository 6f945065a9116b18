// Arrays that the kernel has written, compared with what was written to them. The system tests make both, and name
// them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"

namespace hrvm::volume::test {

// HRVM_TEST_MEMBERS: files with ":" between them; HRVM_TEST_DATA: a file that begins with what the array bears.
TEST_CASE("an array shows what was written to it through the kernel", "[.md]") {
  const char* members = std::getenv("HRVM_TEST_MEMBERS");
  const char* data = std::getenv("HRVM_TEST_DATA");
  const char* name = std::getenv("HRVM_TEST_NAME");
  const char* bytes = std::getenv("HRVM_TEST_BYTES");
  REQUIRE((members && data && name && bytes));
  std::vector<std::unique_ptr<block::BlockDevice>> devices;
  std::vector<Member> parts;
  for (const auto path : base::split(members, ':')) {
    devices.push_back(block::open_device(std::string(path)));
    parts.push_back({devices.back().get(), std::string(path)});
  }
  const auto assembly = assemble_md(parts);
  REQUIRE(assembly.volumes.size() == 1);
  const auto& volume = assembly.volumes[0];
  if (name[0] != '\0') CHECK(volume.path == name);
  INFO(volume.because);
  REQUIRE(volume.device);
  CHECK(volume.size_bytes == base::parse_unsigned(bytes));
  const auto written = block::open_device(data);
  for (std::uint64_t at = 0; at < volume.size_bytes; at += base::MiB) {
    const auto length = std::size_t(std::min<std::uint64_t>(base::MiB, volume.size_bytes - at));
    CAPTURE(at);
    REQUIRE((volume.device->read(at, length) == written->read(at, length)));
  }
}

}  // namespace hrvm::volume::test
