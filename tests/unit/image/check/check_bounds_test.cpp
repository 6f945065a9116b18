// Checks stay within bounds of memory and time, whatever the image claims.
#include <chrono>

#include "hrvm/block/image_lock.hpp"
#include "image/check/counts.hpp"
#include "unit/image/damage.hpp"

namespace hrvm::image::test {
namespace {

constexpr std::uint64_t page_clusters = 65536;

CheckResult check_in_pages(const Path& image, std::uint64_t page_bytes) {
  const auto file = block::open_device(image);
  return run_passes(*file, read_header(*file), {}, {}, page_bytes).result;
}

std::vector<std::string> messages(const CheckResult& result) {
  std::vector<std::string> found;
  for (const auto& item : result.findings) found.push_back(item.finding.message);
  std::ranges::sort(found);
  return found;
}

}  // namespace

TEST_CASE("counts that find no room get their turn in another pass") {
  ReferenceCounts counts(4 * page_clusters, 2 * page_clusters);
  std::vector<std::uint64_t> seen;
  for (int pass = 0; pass < 2; ++pass) {
    for (std::uint64_t page = 0; page < 4; ++page) counts.add(page * page_clusters + 7, 1);
    CHECK(counts.has_put_off() == (pass == 0));
    counts.visit_used([&](const ClusterCount& found) { seen.push_back(found.cluster / page_clusters); });
    counts.next_pass();
  }
  CHECK((seen == std::vector<std::uint64_t>{0, 1, 2, 3}));
}

TEST_CASE("counts of any height are kept, and stop at the highest number") {
  ReferenceCounts counts(page_clusters, page_clusters);
  counts.add(3, 15);
  CHECK(counts.at(3)->used == 15);
  counts.add(3, 1);
  CHECK(counts.at(3)->used == 16);
  counts.add(3, ~0u);
  CHECK(counts.at(3)->used == ~0u);
  counts.set_recorded(3, 1ull << 40);
  CHECK(counts.at(3)->recorded == ~0u);
  CHECK(counts.recorded(3) == ~0u);
  CHECK(counts.recorded(1ull << 50) == 0u);
}

TEST_CASE("a check in many passes finds what one in a single pass finds") {
  Folder folder;
  Random random(12);
  const auto image = folder / "image";
  create(image, {9, false, 16}, 256 * base::MiB);
  std::vector<std::string> program;
  for (int i = 0; i < 40; ++i) program.push_back(fmt::format("write {} 3M", below(random, 250 * 1024) * 1024));
  qemu_io(image, "qcow2", program);
  for (int i = 0; i < 20; ++i) set_count(image, 1 + below(random, Anatomy(image).clusters() - 1), below(random, 4));
  const auto entries = Anatomy(image).l2_entries();
  for (int i = 0; i < 20; ++i) {
    const auto place = entries[below(random, entries.size())];
    poke(image, place, Anatomy(image).entry(place) ^ qcow2::copied);
  }
  poke(image, entries.back(), 1ull << 40);
  REQUIRE(Anatomy(image).clusters() > 2 * page_clusters);
  const auto whole = check_in_pages(image, ReferenceCounts::usual_page_bytes);
  const auto parts = check_in_pages(image, page_clusters);
  REQUIRE(whole.corruptions + whole.leaks != 0);
  CHECK(parts.corruptions == whole.corruptions);
  CHECK(parts.leaks == whole.leaks);
  CHECK(parts.allocated_clusters == whole.allocated_clusters);
  CHECK(parts.image_end_bytes == whole.image_end_bytes);
  CHECK(messages(parts) == messages(whole));
}

// Followed to the end, 60,000 snapshots of the same table would be hours of work.
TEST_CASE("tables that lie in each other end a check early, and are not repaired") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {16, false, 16}, 64 * base::MiB);
  constexpr std::uint64_t table = 1 * base::MiB, entries = 60'000, l1_entries = 500'000;
  Bytes snapshots(entries * 56);
  for (std::uint64_t i = 0; i < entries; ++i) {
    base::store(snapshots, i * 56, be64(table));
    base::store(snapshots, i * 56 + 8, base::be32(l1_entries));
    base::store(snapshots, i * 56 + 36, base::be32(16));
  }
  poke(image, table, snapshots);
  poke(image, 60, std::uint64_t(entries) << 32);
  poke(image, 64, table);
  std::filesystem::resize_file(image, 16 * base::MiB);
  const auto start = std::chrono::steady_clock::now();
  const auto found = check_quietly(image);
  CHECK(found.errors == 1);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
  CHECK_THROWS_AS(repair(image, Repair::leaks), base::Error);
}

TEST_CASE("of a million problems the first hundred are listed, and all are counted") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {9, false, 16}, 4 * base::MiB);
  qemu_io(image, "qcow2", {"write 0 1M"});
  for (auto place : Anatomy(image).l2_entries()) poke(image, place, (place % 4096 + 1) << 40);
  const auto found = check_quietly(image);
  CHECK(found.corruptions >= 2048);
  CHECK(found.findings.size() < 200);
  CHECK(found.findings.size() + found.more_findings >= 2048);
}

TEST_CASE("an image file of 4 TiB that holds nothing is checked in no time") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {21, false, 16}, 1ull << 50);
  std::filesystem::resize_file(image, 1ull << 42);
  const auto found = check_quietly(image);
  CHECK(found.is_sound());
  CHECK(found.image_end_bytes < 1ull << 30);
}

TEST_CASE("an image that is written to is not checked") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {16, false, 16}, base::MiB);
  const auto fd = sys::open_file(image, O_RDWR);
  block::lock_image_exclusively(fd.get(), image);
  try {
    check_quietly(image);
    FAIL("checked");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::busy);
  }
}

TEST_CASE("persistent bitmaps are counted") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {16, false, 16}, 64 * base::MiB);
  output_of({"qemu-img", "bitmap", "--add", image, "b"});
  output_of({"qemu-img", "bitmap", "--add", image, "c"});
  qemu_io(image, "qcow2", {"write 1M 8M"});
  const auto expected = theirs(image);
  REQUIRE(expected.leaks == 0);
  CHECK(ours(image) == expected);
}

namespace {

constexpr std::uint32_t extension_bitmaps = 0x23852875;

// Where the data of the extension that names the bitmaps lie.
std::uint64_t bitmaps_extension(const Path& image) {
  const auto file = block::open_device(image);
  std::uint64_t offset = read_header(*file).header_length;
  for (;;) {
    const auto extension = base::load<qcow2::HeaderExtension>(file->read(offset, sizeof(qcow2::HeaderExtension)));
    offset += sizeof extension;
    if (extension.type == extension_bitmaps) return offset;
    REQUIRE(extension.type != qcow2::extension_end);
    offset += base::round_up(extension.length, 8);
  }
}

}  // namespace

TEST_CASE("bitmaps that QEMU does not read are a corruption, which nothing repairs") {
  Folder folder;
  const auto sound = folder / "sound", image = folder / "image";
  create(sound, {16, false, 16}, 64 * base::MiB);
  output_of({"qemu-img", "bitmap", "--add", sound, "b"});
  const auto extension = bitmaps_extension(sound);
  const auto directory = Anatomy(sound).entry(extension + 16);
  struct Damage {
    const char* what;
    std::uint64_t place;
    Bytes bytes;
  };
  const auto byte = [](unsigned value) { return Bytes{std::byte(value)}; };
  const std::vector<Damage> damages = {{"no bitmaps", extension + 3, byte(0)},
                                       {"a bitmap too many", extension + 3, byte(2)},
                                       {"a reserved field", extension + 7, byte(1)},
                                       {"a directory of no bytes", extension + 15, byte(0)},
                                       {"a directory at no cluster", extension + 22, byte(2)},
                                       {"a type of bitmap that is unknown", directory + 16, byte(2)},
                                       {"a granularity beyond all", directory + 17, byte(40)},
                                       {"unknown flags", directory + 12, byte(1)},
                                       {"no name", directory + 19, byte(0)},
                                       {"a table at no cluster", directory + 6, byte(1)}};
  for (const auto& damage : damages) {
    std::filesystem::copy_file(sound, image, std::filesystem::copy_options::overwrite_existing);
    poke(image, damage.place, damage.bytes);
    CAPTURE(damage.what);
    CHECK(ours(image).corruptions == 1);
    CHECK_THROWS_AS(repair(image, Repair::all), base::Error);
    CHECK(check(image) == 1);  // qemu-img could not check it, or did not open it
    run({"qemu-img", "check", "-r", "all", image});
    CHECK(check(image) == 1);
  }
}

}  // namespace hrvm::image::test
