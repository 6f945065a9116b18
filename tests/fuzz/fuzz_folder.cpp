// A folder made of the fuzzer's bytes, read as discovery and import do.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/tree_of.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/probe/folder.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto files = test::tree_of(std::string(data, data + size));
  try {
    probe::contents_from_json(probe::to_json(probe::read_folder(files, "/srv")));
  } catch (const base::Error&) {
    probe::find_folder_kernel(files);
  }
  return 0;
}
