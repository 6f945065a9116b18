#include "hrvm/sys/log_file.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/files.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::KiB;
using base::MiB;

TEST_CASE("what is given back takes no room, and what is left keeps its place while others append") {
  const test::TemporaryDirectory folder;
  const auto path = folder.write("log", std::string(MiB, 'a') + "the end");
  const auto writer = sys::LogFile::to_bound(path);
  const auto reader = sys::LogFile::to_read(path);
  REQUIRE(reader.data_from(0) == 0);
  const auto before = sys::status(path).allocated_bytes;
  REQUIRE(writer.give_back_before(768 * KiB));
  std::ofstream(path, std::ios::app) << ", and more";
  CHECK(sys::status(path).allocated_bytes <= before - 768 * KiB + 64 * KiB);
  CHECK(reader.size_bytes() == MiB + 17);
  CHECK(reader.data_from(0) == 768 * KiB);
  CHECK(reader.data_from(800 * KiB) == 800 * KiB);
  CHECK(reader.read(MiB, 100) == "the end, and more");
}

TEST_CASE("at its end and beyond a file has nothing to read") {
  const test::TemporaryDirectory folder;
  const auto log = sys::LogFile::to_read(folder.write("log", "abc"));
  CHECK(log.read(1, 1) == "b");
  CHECK(log.read(3, 10).empty());
  CHECK(log.read(30, 10).empty());
  CHECK(log.data_from(3) == 3);
  CHECK(log.data_from(30) == 30);
}
