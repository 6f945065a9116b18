#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bit>
#include <span>
#include <thread>

#include "hrvm/block/image_lock.hpp"
#include "image/repair/file.hpp"
#include "support/subreaper.hpp"
#include "unit/image/damage.hpp"
#include "unit/image/power_cut.hpp"

namespace hrvm::image::test {
namespace {

using base::ErrorKind;

void expect_same_content(const Path& a, const Path& b) {
  const auto result = run({"qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", a, b});
  INFO(result.out << result.err);
  CHECK(result.exit_status == 0);
}

// Wrong counts and flags: all that the image shows is there.
void miscount(const Path& image, Random& random) {
  const Anatomy anatomy(image);
  for (int i = 0; i < 6; ++i) {
    set_count(image, 1 + below(random, anatomy.clusters() - 1),
              below(random, std::min<std::uint64_t>(4, most_references(anatomy.header.refcount_order) + 1)));
  }
  const auto entries = anatomy.l2_entries();
  for (int i = 0; i < 3 && !entries.empty(); ++i) {
    const auto place = entries[below(random, entries.size())];
    if (!(anatomy.entry(place) & qcow2::compressed)) poke(image, place, anatomy.entry(place) ^ qcow2::copied);
  }
}

std::optional<ErrorKind> failure_to_repair(const Path& image) {
  try {
    repair(image, Repair::all);
  } catch (const base::Error& error) {
    return error.kind();
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("an image whose counts and flags are wrong is sound after a repair, and shows what it showed") {
  const auto seed = GENERATE(range(0, 26));
  Random random(std::uint64_t(seed) + 7000);
  Folder folder;
  const auto image = folder / "image";
  make_random(image, kinds[std::size_t(seed) % kinds.size()], random, 4 * base::MiB);
  std::filesystem::copy_file(image, folder / "before");
  miscount(image, random);
  CAPTURE(seed);
  const auto result = repair(image, Repair::all);
  CHECK(result.after.is_sound());
  CHECK(result.after.leaks == 0);
  CHECK(check(image) == 0);
  expect_same_content(image, folder / "before");
}

TEST_CASE("after any damage that qemu-img counts, a repair leaves it nothing to count") {
  const auto seed = GENERATE(range(0, 26));
  Random random(std::uint64_t(seed) + 8000);
  Folder folder;
  const auto image = folder / "image";
  make_random(image, kinds[std::size_t(seed) % kinds.size()], random, 4 * base::MiB);
  for (auto times = 1 + below(random, 6); times-- > 0;) damage(image, random);
  CAPTURE(seed);
  const auto result = repair(image, Repair::all);
  for (const auto& item : result.after.findings) UNSCOPED_INFO("left: " << item.finding.message);
  CHECK(check(image) == 0);
  CHECK(ours(image).corruptions + ours(image).leaks == 0);
}

TEST_CASE("refcounts that cannot say how often a cluster is used are made wider") {
  for (const unsigned bits : {1u, 2u, 8u}) {
    Folder folder;
    const auto image = folder / "image", by_qemu = folder / "by-qemu";
    create(image, {16, false, bits}, 64 * base::MiB);
    qemu_io(image, "qcow2", {"write -P 1 0 20M"});
    const auto entries = Anatomy(image).l2_entries();
    REQUIRE(entries.size() > 300);
    const auto uses = std::size_t(most_references(unsigned(std::countr_zero(bits))) + 2);
    const auto shared = Anatomy(image).entry(entries[0]);
    for (std::size_t i = 1; i < uses; ++i) poke(image, entries[i], shared);
    const auto before = content(image);
    std::filesystem::copy_file(image, by_qemu);
    CAPTURE(bits);
    CHECK(ours(image) == theirs(image));
    const auto result = repair(image, Repair::all);
    CHECK(result.after.is_sound());
    CHECK(result.after.leaks == 0);
    CHECK(check(image) == 0);
    CHECK(read_info(image).refcount_bits == 16);
    CHECK((content(image) == before));
    // What QEMU leaves as it is, and advises to convert.
    run({"qemu-img", "check", "-r", "all", by_qemu});
    CHECK(check(by_qemu) == 2);
  }
}

namespace {

// The image's one snapshot has so many bytes of extra data now: the first of those that it had, then zeros.
void resize_extra_data(const Path& image, std::uint32_t bytes) {
  const Anatomy anatomy(image);
  REQUIRE(anatomy.header.snapshots == 1);
  const auto place = anatomy.header.snapshots_offset;
  auto entry = base::load<qcow2::SnapshotHeader>(anatomy.file->read(place, sizeof(qcow2::SnapshotHeader)));
  auto extra = anatomy.file->read(place + sizeof entry, entry.extra_data_size);
  const auto texts = anatomy.file->read(place + sizeof entry + entry.extra_data_size,
                                        std::size_t(entry.id_str_size) + entry.name_size);
  extra.resize(bytes);
  entry.extra_data_size = bytes;
  const auto fixed = std::as_bytes(std::span(&entry, 1));
  Bytes table(fixed.begin(), fixed.end());
  table.insert(table.end(), extra.begin(), extra.end());
  table.insert(table.end(), texts.begin(), texts.end());
  poke(image, place, table);
}

}  // namespace

TEST_CASE("the extra data of a snapshot is completed as QEMU completes it, and cut as QEMU cuts it") {
  for (const std::uint32_t bytes : {0u, 8u, 12u, 2000u}) {
    Folder folder;
    const auto image = folder / "image", by_qemu = folder / "by-qemu";
    create(image, {16, false, 16}, 4 * base::MiB);
    qemu_io(image, "qcow2", {"write -P 1 0 1M"});
    output_of({"qemu-img", "snapshot", "-c", "before", image});
    qemu_io(image, "qcow2", {"write -P 2 0 1M"});
    resize_extra_data(image, bytes);
    std::filesystem::copy_file(image, by_qemu);
    CAPTURE(bytes);
    CHECK(ours(image).corruptions == 1);
    const auto result = repair(image, Repair::all);
    CHECK(result.before.corruptions == 1);
    CHECK(result.after.is_sound());
    CHECK(result.after.leaks == 0);
    CHECK(check(image) == 0);
    run({"qemu-img", "check", "-r", "all", by_qemu});
    CHECK(check(by_qemu) == 0);
    for (const auto& each : {image, by_qemu}) {
      CHECK_THAT(output_of({"qemu-img", "snapshot", "-l", each}), Catch::Contains("before"));
      output_of({"qemu-img", "convert", "-l", "snapshot.name=before", "-O", "raw", each, folder / "shown"});
      CHECK(content(folder / "shown", ImageFormat::raw)[0] == std::byte{1});
    }
    const Anatomy ours_now(image), theirs_now(by_qemu);
    const auto table = [](const Anatomy& anatomy) { return anatomy.file->read(anatomy.header.snapshots_offset, 64); };
    CHECK((table(ours_now) == table(theirs_now)));
    CHECK(content(image)[0] == std::byte{2});
  }
}

TEST_CASE("what cannot be seen is not repaired, and the error says what and which way out there is") {
  Folder folder;
  const auto image = folder / "image";
  create(image, {16, false, 16}, 4 * base::MiB);
  qemu_io(image, "qcow2", {"write 0 1M"});
  output_of({"qemu-img", "snapshot", "-c", "before", image});
  poke(image, Anatomy(image).header.snapshots_offset, 123);  // its L1 table is at no cluster
  const auto before = content(image, ImageFormat::raw);
  try {
    repair(image, Repair::all);
    FAIL("repaired");
  } catch (const base::Error& error) {
    CHECK(error.kind() == ErrorKind::corrupt);
    CHECK_THAT(error.message(), Catch::Contains("snapshot 0") && Catch::Contains("is not repaired"));
    CHECK_THAT(error.hint(), Catch::Contains("hrvm image convert"));
  }
  CHECK((content(image, ImageFormat::raw) == before));
}

TEST_CASE("leaks are given back without touching anything else") {
  Folder folder;
  Random random(3);
  const auto image = folder / "image";
  make_random(image, {16, false, 16}, random, 8 * base::MiB);
  std::filesystem::copy_file(image, folder / "before");
  const Anatomy anatomy(image);
  std::uint64_t leaks = 0;
  for (std::uint64_t cluster = 1; cluster < anatomy.clusters(); ++cluster) {
    if (count_of(image, cluster) != 0) continue;
    set_count(image, cluster, 3);
    ++leaks;
  }
  REQUIRE(leaks > 0);
  CHECK(ours(image).leaks == leaks);
  const auto result = repair(image, Repair::leaks);
  CHECK(result.before.leaks == leaks);
  CHECK(result.after.leaks == 0);
  CHECK((content(image, ImageFormat::raw) == content(folder / "before", ImageFormat::raw)));
}

TEST_CASE("a repair of leaks alone raises no count") {
  Folder folder;
  Random random(4);
  const auto image = folder / "image";
  make_random(image, {16, false, 16}, random, 8 * base::MiB);
  const auto cluster = Anatomy(image).l2_tables()[0] >> 16;
  set_count(image, cluster, 0);
  const auto before = content(image, ImageFormat::raw);
  CHECK(repair(image, Repair::leaks).after.corruptions != 0);
  CHECK((content(image, ImageFormat::raw) == before));
}

TEST_CASE("a repair of leaks alone makes no corruption where there are others") {
  const auto other = GENERATE(as<std::string>(), "a count too low", "a reserved bit");
  Folder folder;
  const auto image = folder / "image";
  create(image, {16, false, 16}, 2 * base::MiB);
  qemu_io(image, "qcow2", {"write 0 256k"});
  const auto entries = Anatomy(image).l2_entries();
  const auto leaked = Anatomy(image).entry(entries[0]) & qcow2::offset_mask;
  poke(image, entries[0], leaked);
  set_count(image, leaked >> 16, 2);
  if (other == "a reserved bit")
    poke(image, entries[1], Anatomy(image).entry(entries[1]) | 1ull << 58);
  else
    set_count(image, Anatomy(image).l2_tables()[0] >> 16, 0);
  CAPTURE(other);
  const auto result = repair(image, Repair::leaks);
  CHECK(result.before.leaks == 1);
  CHECK(result.after.corruptions == result.before.corruptions);
}

TEST_CASE("lost refcount blocks and tables are built anew") {
  const auto lost = GENERATE(as<std::string>(), "no blocks", "a block that is the L1 table", "an unaligned block",
                             "a table of zeros", "a table outside");
  for (const Kind& kind : {Kind{16, false, 16}, Kind{9, false, 1}, Kind{16, true, 64}, Kind{12, false, 2}}) {
    CAPTURE(lost, kind.cluster_bits);
    Folder folder;
    Random random(9);
    const auto image = folder / "image";
    make_random(image, kind, random, 4 * base::MiB);
    std::filesystem::copy_file(image, folder / "before");
    const auto header = Anatomy(image).header;
    if (lost == "no blocks" || lost == "a table of zeros") poke(image, header.refcount_table_offset, 0);
    if (lost == "a block that is the L1 table") poke(image, header.refcount_table_offset, header.l1_offset);
    if (lost == "an unaligned block") poke(image, header.refcount_table_offset, header.l1_offset + 512 * 3 + 1);
    if (lost == "a table outside") poke(image, 48, 1ull << 40);
    CHECK(check_quietly(image).corruptions != 0);
    CHECK(repair(image, Repair::all).after.is_sound());
    CHECK(check(image) == 0);
    expect_same_content(image, folder / "before");
  }
}

TEST_CASE("entries that lead nowhere are let go, and read as zeros") {
  for (const Kind& kind : {Kind{16, false, 16}, Kind{16, true, 16}}) {
    Folder folder;
    const auto image = folder / "image";
    create(image, kind, 2 * base::MiB);
    qemu_io(image, "qcow2", {"write -P 7 0 256k"});
    const auto entries = Anatomy(image).l2_entries();
    poke(image, entries[0], qcow2::copied | 1ull << 40);
    CHECK(repair(image, Repair::all).after.is_sound());
    CHECK(check(image) == 0);
    const auto shown = content_by_qemu(image, folder / "raw");
    CHECK(shown[0] == std::byte{0});
    CHECK(shown[65536] == std::byte{7});
  }
}

TEST_CASE("the marks \"dirty\" and \"corrupt\" are cleared once all is right") {
  Folder folder;
  const auto image = folder / "image";
  make(image, {base::MiB, Geometry::classic(), std::nullopt});
  poke(image, 72, qcow2::dirty | qcow2::corrupt);
  const auto result = repair(image, Repair::all);
  CHECK(result.before.findings.size() == 2);
  CHECK(result.after.findings.empty());
  CHECK(Anatomy(image).header.incompatible_features == 0);
}

TEST_CASE("an image in use is not repaired") {
  Folder folder;
  const auto image = folder / "image";
  make(image, {base::MiB, Geometry::classic(), std::nullopt});
  const auto fd = sys::open_file(image, O_RDWR);
  block::lock_image_exclusively(fd.get(), image);
  CHECK(failure_to_repair(image) == ErrorKind::busy);
}

TEST_CASE("a repair whose power is cut anywhere leaves what was shown, and can be run again") {
  const auto seed = GENERATE(range(0, 6));
  Random random(std::uint64_t(seed) + 500);
  Folder folder;
  const auto image = folder / "image", cut = folder / "cut";
  make_random(image, kinds[std::size_t(seed)], random, 2 * base::MiB);
  const auto shown = content_by_qemu(image, folder / "raw");
  if (seed % 2)
    miscount(image, random);
  else
    poke(image, Anatomy(image).header.refcount_table_offset, 0);
  const auto before = content(image, ImageFormat::raw);
  const auto fd = sys::open_file(image, O_RDWR);
  DescriptorFile file(fd.get(), image);
  RecordedFile recorded(file);
  repair_file({[&] { return block::open_device(image); }, recorded}, examine(image));
  CHECK(check(image) == 0);
  for (std::size_t steps = 0; steps <= recorded.steps(); ++steps) {
    CAPTURE(seed, steps);
    write_file(cut, recorded.after_power_cut(before, steps, random));
    REQUIRE((content(cut) == shown));
    CHECK(repair(cut, Repair::all).after.is_sound());
    REQUIRE((content_by_qemu(cut, folder / "raw") == shown));
  }
}

TEST_CASE("a repair of leaks that is killed leaves at worst leaks") {
  Folder folder;
  Random random(77);
  const auto image = folder / "image", copy = folder / "copy";
  make_random(image, {9, false, 16}, random, 8 * base::MiB);
  const Anatomy anatomy(image);
  for (std::uint64_t cluster = 1; cluster < anatomy.clusters(); ++cluster)
    if (count_of(image, cluster) == 0) set_count(image, cluster, 1);
  const auto shown = content(image);
  REQUIRE(ours(image).corruptions == 0);
  // A confined reader ends with a repair that is killed, but later than it, and holds its lock until then.
  const hrvm::test::Subreaper subreaper;
  int killed = 0;
  for (int i = 0; i < 30; ++i) {
    std::filesystem::copy_file(image, copy, std::filesystem::copy_options::overwrite_existing);
    const auto child = ::fork();
    if (child == 0) {
      repair(copy, Repair::leaks);
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(below(random, 60'000)));
    ::kill(child, SIGKILL);
    killed += WIFSIGNALED(subreaper.wait_for_all(child));
    CHECK(ours(copy).corruptions == 0);
    REQUIRE((content(copy) == shown));
  }
  CHECK(killed > 0);
}

}  // namespace hrvm::image::test
