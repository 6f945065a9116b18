// A registry hive made of the fuzzer's bytes: what discovery asks of it, and a walk down its keys.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hrvm/base/error.hpp"
#include "probe/registry/hive.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

namespace {

void visit(probe::Hive& hive, probe::Hive::Key key, int depth) try {
  hive.value(key, "");
  hive.value(key, "Start");
  if (depth == 0) return;
  auto names = hive.subkeys(key);
  names.resize(std::min<std::size_t>(names.size(), 8));
  for (const auto& name : names)
    if (const auto child = name.find('\\') == name.npos && !name.empty() ? hive.find(name) : std::nullopt)
      visit(hive, *child, depth - 1);
} catch (const base::Error&) {
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::MemoryFiles files;
  files.add("/hive", std::string(data, data + size));
  try {
    probe::Hive hive(files, "/hive");
    if (const auto start = hive.value("Select", "Current")) start->number();
    if (const auto name = hive.value("Microsoft\\Windows NT\\CurrentVersion", "ProductName")) name->text();
    if (const auto all = hive.value("Microsoft", "texts")) all->texts();
    visit(hive, *hive.find(""), 3);
  } catch (const base::Error&) {
  }
  return 0;
}
