// A database of rpm of the kind ndb, made of the fuzzer's bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hrvm/base/error.hpp"
#include "probe/packages/rpm_records.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::MemoryFiles files;
  files.add("/db", std::string(data, data + size));
  try {
    probe::visit_ndb_records(files, "/db", [](std::span<const std::byte>) {});
  } catch (const base::Error&) {
  }
  return 0;
}
