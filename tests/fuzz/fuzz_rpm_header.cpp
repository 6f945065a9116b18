// A package's header made of the fuzzer's bytes: what is asked of one.
#include <cstddef>
#include <cstdint>

#include "hrvm/base/error.hpp"
#include "probe/packages/rpm_header.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const probe::RpmHeader header(std::as_bytes(std::span(data, size)));
    for (const auto tag : {probe::RpmTag::name, probe::RpmTag::version, probe::RpmTag::release})
      static_cast<void>(header.text(tag));
    static_cast<void>(header.number(probe::RpmTag::epoch));
    header.visit_paths([](std::string_view) {});
  } catch (const base::Error&) {
  }
  return 0;
}
