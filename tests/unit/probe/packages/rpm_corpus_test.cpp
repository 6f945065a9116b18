// Databases and headers of rpm that break their format, each named for its lesson and for what comes of reading it.
// Those that a fuzzer found bear no such word: they only must end.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/probe/packages.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/packages/rpm_header.hpp"
#include "probe/packages/rpm_records.hpp"
#include "support/memory_files.hpp"

namespace hrvm::probe {
namespace {

using Path = std::filesystem::path;

void read_header(std::span<const std::byte> bytes) {
  const RpmHeader header(bytes);
  CHECK(header.text(RpmTag::name).value_or("").size() < 100);
  header.visit_paths([](std::string_view path) { CHECK(path.starts_with('/')); });
}

using Read = void(const std::string& bytes);

void check(std::string_view kind, Read* read, int least) {
  const auto folder = Path(HRVM_SOURCE_DIR) / "tests/corpus" / kind;
  int told = 0;
  for (const auto& file : sys::list_directory(folder)) {
    CAPTURE(file);
    std::string found = "reads";
    try {
      read(sys::read_file(folder / file, base::MiB));
    } catch (const base::Error& error) {
      CHECK_FALSE(error.message().empty());
      found = base::word(error.kind());
    }
    const auto expected = Path(file).extension().string();
    if (expected.empty()) continue;
    CHECK("." + found == expected);
    ++told;
  }
  CHECK(told >= least);
}

template <auto visit>
void read_database(const std::string& bytes) {
  test::MemoryFiles files({{"/db", bytes}});
  visit(files, "/db", read_header);
}

}  // namespace

TEST_CASE("every broken database in SQLite ends as its name says") {
  check("sqlite", read_database<visit_sqlite_records>, 20);
}
TEST_CASE("every broken database of the kind ndb ends as its name says") {
  check("ndb", read_database<visit_ndb_records>, 12);
}
TEST_CASE("every broken header of a package ends as its name says") {
  check(
      "rpm_header", [](const std::string& bytes) { read_header(std::as_bytes(std::span(bytes))); }, 10);
}

}  // namespace hrvm::probe
