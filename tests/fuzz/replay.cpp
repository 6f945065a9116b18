// fuzz_replay TARGET [FOLDER]: gives a fuzz target what hardly needs a fuzzer, and every file of its corpus. Built
// without libFuzzer, by the compiler that builds the rest, so that no target rots. Ends by a crash or a sanitizer's
// report where one breaks its code.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using Target = int(const std::uint8_t* data, std::size_t size);

// One line FUZZ_TARGET(NAME) each: what tests/CMakeLists.txt has renamed.
#define FUZZ_TARGET(name) extern "C" Target replay_##name;
#include "fuzz_targets.inc"
#undef FUZZ_TARGET

#define FUZZ_TARGET(name) {#name, replay_##name},
static const std::map<std::string, Target*> targets = {
#include "fuzz_targets.inc"
};

static std::vector<std::string> inputs(const std::filesystem::path& folder) {
  std::vector<std::string> all = {"", std::string(1, '\0'), std::string(65536, '\0'), std::string(65536, '\xff')};
  if (!std::filesystem::is_directory(folder)) return all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    all.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return all;
}

int main(int count, char** words) {
  const auto target = count > 1 ? targets.find(words[1]) : targets.end();
  if (target == targets.end()) {
    std::fputs("usage: fuzz_replay TARGET [FOLDER]\n", stderr);
    return 2;
  }
  const auto all = inputs(count > 2 ? words[2] : "");
  for (const auto& bytes : all) {
    const std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
    target->second(data.data(), data.size());
  }
  std::printf("%s: %zu inputs\n", words[1], all.size());
}
