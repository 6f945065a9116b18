// The metadata of a LUKS2 header made of the fuzzer's bytes: whose tokens keep its keys.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/luks_tokens.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tokens = probe::parse_luks_tokens({reinterpret_cast<const char*>(data), size});
  probe::token_findings(tokens, "p3");
  return 0;
}
