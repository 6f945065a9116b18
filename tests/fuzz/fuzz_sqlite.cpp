// A database of rpm in SQLite made of the fuzzer's bytes; then the log of a sound one, with a byte for the page of each
// frame, one for whether it ends a transaction, and the page. Its checksums, which would keep a fuzzer out, are right.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/packages/rpm_records.hpp"
#include "support/memory_files.hpp"
#include "support/sqlite_log.hpp"

using namespace hrvm;

namespace {

void read(const std::string& database, const std::string& log) {
  test::MemoryFiles files;
  files.add("/db", database).add("/db-wal", log);
  try {
    probe::visit_sqlite_records(files, "/db", [](std::span<const std::byte>) {});
  } catch (const base::Error&) {
  }
}

std::string log_of(std::string_view input) {
  constexpr std::uint32_t page_bytes = 512;
  constexpr std::size_t bytes_of_frame = 2 + page_bytes;
  std::vector<test::LogFrame> frames;
  for (; input.size() > 2; input.remove_prefix(std::min(input.size(), bytes_of_frame)))
    frames.push_back({static_cast<unsigned char>(input[0]), static_cast<unsigned char>(input[1]), input.substr(2)});
  return test::make_log(page_bytes, frames);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto sound = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/sqlite/sound.reads", base::MiB);
  const std::string input(data, data + size);
  read(input, input);
  read(sound, log_of(input));
  return 0;
}
