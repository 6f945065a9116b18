// Metadata of volumes, sound and damaged, each named for its lesson and for what comes of it: NAME.reads, NAME.told
// (there is a finding, or a reason why it cannot be read), NAME.nothing.
#include <catch2/catch.hpp>

#include <filesystem>

#include "fuzz/volume_inputs.hpp"
#include "hrvm/sys/files.hpp"

using namespace hrvm;

namespace {

void check_corpus(const std::string& name, std::string (*read)(fuzz::Input)) {
  const auto folder = std::filesystem::path(HRVM_SOURCE_DIR) / "tests/corpus" / name;
  const auto files = sys::list_directory(folder);
  CHECK(files.size() >= 8);
  for (const auto& file : files) {
    CAPTURE(name, file);
    const auto bytes = sys::read_file(folder / file, base::MiB);
    CHECK("." + read(std::as_bytes(std::span(bytes))) == std::filesystem::path(file).extension());
  }
}

}  // namespace

TEST_CASE("metadata of LVM end as their names say") { check_corpus("lvm", fuzz::read_lvm); }

TEST_CASE("metadata of thin pools end as their names say") { check_corpus("thin", fuzz::read_thin); }

TEST_CASE("superblocks of md end as their names say") { check_corpus("md", fuzz::read_md); }

TEST_CASE("configurations of ZFS pools end as their names say") { check_corpus("zfs", fuzz::read_zfs); }
