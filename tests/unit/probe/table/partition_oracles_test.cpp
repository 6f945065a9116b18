// Our reading of partition tables against sfdisk's and libblkid's.
#include <blkid/blkid.h>
#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <functional>

#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/fd.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

PartitionTable read_file(const std::filesystem::path& path) { return read_partition_table(*block::open_device(path)); }

void check_against_sfdisk(const std::filesystem::path& image) {
  const auto theirs = base::parse_json(test::run_program({"sfdisk", "-J", image}), "sfdisk")["partitiontable"];
  const auto ours = read_file(image);
  CHECK(ours.findings.empty());
  CHECK(ours.kind == (theirs["label"].text() == "gpt" ? TableKind::gpt : TableKind::dos));
  CHECK((ours.kind == TableKind::dos ? "0x" : "") + ours.uuid == base::lower(theirs["id"].text().value_or("")));
  REQUIRE(ours.partitions.size() == theirs["partitions"].items().size());
  for (std::size_t i = 0; i < ours.partitions.size(); ++i) {
    const auto& row = theirs["partitions"].items()[i];
    const Partition& partition = ours.partitions[i];
    CHECK(row["node"].text() == image.string() + std::to_string(partition.number));
    CHECK(row["start"].unsigned_integer() == partition.start_bytes / 512);
    CHECK(row["size"].unsigned_integer() == partition.size_bytes / 512);
    const std::string type = base::lower(row["type"].text().value_or(""));
    CHECK(type ==
          (ours.kind == TableKind::gpt ? partition.type : partition.type.substr(partition.type[2] == '0' ? 3 : 2)));
    if (ours.kind == TableKind::gpt) CHECK(base::lower(row["uuid"].text().value_or("")) == partition.partuuid);
    CHECK(row["name"].text().value_or("") == partition.name);
  }
}

std::filesystem::path make_by_sfdisk(const test::TemporaryDirectory& folder, const std::string& script) {
  const auto image = folder / "disk1.img";
  test::set_size(image, 64 * mib);
  test::feed_program({"sfdisk", "-q", "--no-tell-kernel", image}, script);
  return image;
}

}  // namespace

TEST_CASE("tables that sfdisk wrote are read as sfdisk reads them") {
  const test::TemporaryDirectory folder;
  for (const char* script : {"label: gpt\nsize=1MiB, type=21686148-6449-6E6F-744E-656564454649\n"
                             "size=8MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=\"Größe ✓\"\n8: size=9MiB, "
                             "attrs=LegacyBIOSBootable\n",
                             "label: gpt\ntable-length: 16\nsize=1MiB\nsize=2MiB\n",
                             "label: dos\nlabel-id: 0x1234abcd\nsize=4MiB, type=83, bootable\n4: size=5MiB, type=7\n",
                             "label: dos\nsize=4MiB, type=83\nsize=40MiB, type=f\nsize=2MiB, type=82\nsize=3MiB, "
                             "type=83\nsize=4MiB, type=8e\n"}) {
    INFO(script);
    const auto image = make_by_sfdisk(folder, script);
    REQUIRE_FALSE(read_file(image).partitions.empty());
    check_against_sfdisk(image);
    std::filesystem::remove(image);
  }
}

TEST_CASE("our own writer of tables is read by sfdisk as by us") {
  const test::TemporaryDirectory folder;
  test::write_gpt(folder / "disk1.img", sample_disk());
  check_against_sfdisk(folder / "disk1.img");
}

TEST_CASE("a GPT of 4096-byte sectors is read as libblkid reads it") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "4kn.img";
  test::write_gpt(image, sample_disk(4096));
  const sys::Fd fd = sys::open_file(image, O_RDONLY);
  const std::unique_ptr<std::remove_pointer_t<blkid_probe>, void (*)(blkid_probe)> probe(blkid_new_probe(),
                                                                                         blkid_free_probe);
  REQUIRE(blkid_probe_set_device(probe.get(), fd.get(), 0, 0) == 0);
  blkid_probe_set_sectorsize(probe.get(), 4096);
  blkid_probe_enable_partitions(probe.get(), 1);
  blkid_partlist list = blkid_probe_get_partitions(probe.get());
  REQUIRE(list != nullptr);
  const auto ours = read_file(image);
  REQUIRE(blkid_partlist_numof_partitions(list) == int(ours.partitions.size()));
  for (const Partition& partition : ours.partitions) {
    blkid_partition theirs = blkid_partlist_get_partition_by_partno(list, int(partition.number));
    REQUIRE(theirs != nullptr);
    CHECK(std::uint64_t(blkid_partition_get_start(theirs)) * 512 == partition.start_bytes);
    CHECK(std::uint64_t(blkid_partition_get_size(theirs)) * 512 == partition.size_bytes);
    CHECK(blkid_partition_get_type_string(theirs) == partition.type);
    CHECK(blkid_partition_get_uuid(theirs) == partition.partuuid);
  }
}

TEST_CASE("a filesystem on the whole disk is no partition table, though its boot sector ends like one") {
  const test::TemporaryDirectory folder;
  const auto image = folder / "superfloppy.img";
  for (const test::Words& maker : {test::Words{"mkfs.fat", "-F", "12"},
                                   {"mkfs.fat", "-F", "16"},
                                   {"mkfs.fat", "-F", "32"},
                                   {"mke2fs", "-q", "-F", "-t", "ext4"},
                                   {"mkswap"}}) {
    INFO(base::join(maker, " "));
    test::set_size(image, 64 * mib);
    auto command = maker;
    command.push_back(image);
    test::run_program(command);
    const auto table = read_file(image);
    CHECK(table.kind == TableKind::none);
    CHECK(table.findings.empty());
    std::filesystem::remove(image);
  }
}
