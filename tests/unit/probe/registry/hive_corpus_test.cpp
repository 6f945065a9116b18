// Damaged hives, each named for its lesson and for what comes of reading all its keys. Those that the fuzzer found bear
// no such word: they only must end.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/registry/hive.hpp"
#include "support/memory_files.hpp"

namespace hrvm::probe {
namespace {

using Path = std::filesystem::path;

void walk(Hive& hive, const std::string& path, int depth) {
  const auto key = hive.find(path);
  if (!key) return;
  hive.value(*key, "Start");
  if (depth == 0) return;
  for (const auto& name : hive.subkeys(*key)) walk(hive, path + "\\" + name, depth - 1);
}

std::string outcome(const Path& file) {
  try {
    test::MemoryFiles files({{"/hive", sys::read_file(file, base::MiB)}});
    Hive hive(files, "/hive");
    walk(hive, "", 4);
    return "reads";
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return std::string(base::word(error.kind()));
  }
}

}  // namespace

TEST_CASE("every damaged hive ends as its name says") {
  const auto folder = Path(HRVM_SOURCE_DIR) / "tests/corpus/hive";
  int told = 0;
  for (const auto& file : sys::list_directory(folder)) {
    CAPTURE(file);
    const auto found = outcome(folder / file);
    const auto expected = Path(file).extension().string();
    if (expected.empty()) continue;
    CHECK("." + found == expected);
    ++told;
  }
  CHECK(told >= 10);
}

}  // namespace hrvm::probe
