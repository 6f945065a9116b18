// UEFI variables: what a guest may leave in its flash is read, and an entry added where there is room, which must then
// be read back.
#include <cstdlib>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/boot_options.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const launch::BootEntry entry{"debian",
                                probe::TableKind::gpt,
                                2,
                                4096,
                                32768,
                                "d3300000-0000-4000-8000-000000000002",
                                "/EFI/debian/grubx64.efi"};
  try {
    launch::VariableStore variables({data, data + size}, "fuzz");
    launch::boot_options(variables);
    launch::add_boot_entries(variables, {entry});
    const auto options = launch::boot_options({variables.bytes(), "fuzz"});
    if (options.empty() || options[0].description != entry.description) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
