// rpm's databases: where they lie, what is in them, and what their logs say. The sound ones are those that
// make-package-databases.py wrote by SQLite itself.
#include <catch2/catch.hpp>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/probe/packages.hpp"
#include "hrvm/sys/files.hpp"
#include "support/memory_files.hpp"
#include "support/sqlite_log.hpp"

using namespace hrvm;
using probe::Package, probe::PackageManager, test::LogFrame, test::MemoryFiles;

namespace {

constexpr std::size_t page_bytes = 512;

std::string corpus(const std::string& name) {
  return sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/" + name, base::MiB);
}
std::string sqlite() { return corpus("sqlite/sound.reads"); }

probe::PackageDatabase database_of(MemoryFiles& files) {
  const auto databases = probe::read_packages(files);
  REQUIRE(databases.size() == 1);
  CHECK(databases[0].manager == PackageManager::rpm);
  return databases[0];
}
bool has(const probe::PackageDatabase& database, const Package& package) {
  return std::ranges::find(database.packages, package) != database.packages.end();
}

// Every page of the database, in a log; the last ends the transaction.
std::vector<LogFrame> frames_of(std::string_view database) {
  std::vector<LogFrame> frames;
  for (std::uint32_t page = 1; page <= database.size() / page_bytes; ++page)
    frames.push_back({page, 0, database.substr((page - 1) * page_bytes, page_bytes)});
  frames.back().pages_after_commit = std::uint32_t(frames.size());
  return frames;
}

// That there is nothing in the file itself, only in its log.
probe::PackageDatabase read_with_log(const std::string& log) {
  MemoryFiles files;
  files.add("/var/lib/rpm/rpmdb.sqlite", corpus("sqlite/no-table.corrupt")).add("/var/lib/rpm/rpmdb.sqlite-wal", log);
  return database_of(files);
}

const Package one{"one", "1.0-1", "noarch"}, two{"two", "1:2.0~rc1-3.el9", "noarch"};

}  // namespace

TEST_CASE("rpm's packages are read wherever distributions keep them, and keys are none") {
  for (const std::string folder : {"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}) {
    MemoryFiles files;
    files.add(folder + "/rpmdb.sqlite", sqlite());
    const auto database = database_of(files);
    CHECK(database.packages.size() == 10);
    CHECK(has(database, one));
    CHECK(has(database, two));
  }
}

TEST_CASE("ndb is read as SQLite is") {
  MemoryFiles files;
  files.add("/usr/lib/sysimage/rpm/Packages.db", corpus("ndb/sound.reads"))
      .link("/var/lib/rpm", "../../usr/lib/sysimage/rpm");
  CHECK(database_of(files).packages == std::vector<Package>{one, two});
  CHECK(probe::package_owners(files, {"/usr/share/two/59", "/usr/bin/one"}) == std::vector<std::string>{"two", "one"});
}

TEST_CASE("a Berkeley DB is told, but not what a newer rpm left behind") {
  MemoryFiles files;
  files.add("/var/lib/rpm/Packages", "x");
  CHECK(database_of(files).unreadable == "/var/lib/rpm/Packages: it is a Berkeley DB, which hrvm does not read");
  files.add("/usr/lib/sysimage/rpm/rpmdb.sqlite", sqlite());
  CHECK(database_of(files).unreadable.empty());
}

TEST_CASE("rpm's files are those of its headers, by the way that a walk goes") {
  MemoryFiles files;
  files.add("/var/lib/rpm/rpmdb.sqlite", sqlite()).link("/lib", "usr/lib").folder("/usr/lib");
  CHECK(probe::package_owners(files, {"/usr/share/two/0", "/usr/share/two/59", "/usr/share/two/60",
                                      "/usr/lib/one.so"}) == std::vector<std::string>{"two", "two", "", "one"});
}

TEST_CASE("what the log has committed counts before what the file has, in either byte order") {
  const auto sound = sqlite();
  for (const bool is_big_endian : {false, true})
    CHECK(has(read_with_log(test::make_log(page_bytes, frames_of(sound), is_big_endian)), two));
}

TEST_CASE("a log counts up to its last whole transaction") {
  const auto sound = sqlite();
  auto frames = frames_of(sound);
  const auto pages = std::uint32_t(frames.size());
  const auto whole = test::make_log(page_bytes, frames);
  SECTION("what follows was not committed") {
    frames.push_back({1, 0, "no database"});
    CHECK(has(read_with_log(test::make_log(page_bytes, frames)), two));
  }
  SECTION("what follows is cut") {
    frames.push_back({1, pages, "no database"});
    auto log = test::make_log(page_bytes, frames);
    log.pop_back();
    CHECK(has(read_with_log(log), two));
  }
  SECTION("what follows is left from a log before") {
    CHECK(has(read_with_log(whole + test::make_log(page_bytes, {{1, pages, "no database"}}).substr(32)), two));
  }
  SECTION("what follows replaces it") {
    const auto empty = corpus("sqlite/no-table.corrupt");
    frames.push_back({1, pages, std::string_view(empty).substr(0, page_bytes)});
    CHECK_FALSE(read_with_log(test::make_log(page_bytes, frames)).unreadable.empty());
  }
  SECTION("a byte of it is another") {
    auto log = whole;
    log[log.size() / 2] = char(log[log.size() / 2] ^ 1);
    CHECK_FALSE(read_with_log(log).unreadable.empty());
  }
}

TEST_CASE("a log that is none, and a journal that has ended, count for nothing") {
  MemoryFiles files;
  files.add("/var/lib/rpm/rpmdb.sqlite", sqlite()).add("/var/lib/rpm/rpmdb.sqlite-wal", std::string(5000, 'x'));
  files.add("/var/lib/rpm/rpmdb.sqlite-journal", std::string(512, '\0'));
  CHECK(has(database_of(files), two));
  files.add("/var/lib/rpm/rpmdb.sqlite-journal", "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7 and more");
  CHECK(database_of(files).unreadable ==
        "/var/lib/rpm/rpmdb.sqlite-journal: a transaction of the database has to be rolled back first");
}
