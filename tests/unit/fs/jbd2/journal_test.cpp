// Journals that are built byte by byte, and what of them is written back.
#include "fs/jbd2/journal.hpp"

#include <catch2/catch.hpp>

#include "support/fast_commits.hpp"
#include "support/journal_image.hpp"

namespace hrvm::fs::jbd2 {
namespace {

using hrvm::test::JournalImage;
using Shape = JournalImage::Shape;
// By block, what it is filled with then.
using Changes = std::map<std::uint64_t, char>;

constexpr std::uint32_t block_bytes = JournalImage::block_bytes;

JournalPlace place_of(const JournalImage& image, std::uint32_t blocks = JournalImage::journal_blocks) {
  return {block_bytes,
          JournalImage::filesystem_blocks,
          {{image.place(0), blocks / 2}, {image.place(blocks / 2), blocks - blocks / 2}}};
}

Replay replay(const JournalImage& image) {
  const auto device = image.device();
  return replay_journal(*device, place_of(image));
}

// What is changed in the filesystem's own blocks; none is, where the journal is not replayed.
Changes changes(const JournalImage& image) {
  const auto device = image.device();
  Replay replayed = replay_journal(*device, place_of(image));
  INFO(replayed.why);
  CHECK(replayed.state == JournalState::replayed);
  block::BlockOverlay view(*device, block_bytes, std::move(replayed.newer));
  Changes changed;
  for (std::uint64_t at = 0; at < JournalImage::filesystem_blocks; ++at) {
    const auto bytes = view.read(at * block_bytes, block_bytes);
    if (bytes[500] != std::byte('.')) changed[at] = char(bytes[500]);
  }
  return changed;
}

void check_ignored(const JournalImage& image, std::string_view why) {
  const Replay ignored = replay(image);
  CHECK(ignored.state == JournalState::ignored);
  CHECK(ignored.newer.empty());
  CHECK_THAT(ignored.why, Catch::Contains(std::string(why)));
}

// Three transactions: 7 writes 10 and 11, 8 writes 11, 9 writes 12. Where each commit lies is told.
struct ThreeTransactions {
  JournalImage image;
  std::uint32_t commits[3], descriptors[3];

  explicit ThreeTransactions(Shape shape, std::uint64_t last_second = 1002) : image(shape) {
    descriptors[0] = image.write(7, {{10, 'a'}, {11, 'b'}});
    commits[0] = image.commit(7, 1000);
    descriptors[1] = image.write(8, {{11, 'c'}});
    commits[1] = image.commit(8, 1001);
    descriptors[2] = image.write(9, {{12, 'd'}});
    commits[2] = image.commit(9, last_second);
    image.write_super();
  }
  void damage(std::uint32_t block, std::size_t offset = 600) { image.block(block)[offset] ^= std::byte(1); }
};

const Changes all_three = {{10, 'a'}, {11, 'c'}, {12, 'd'}};
const Changes first_two = {{10, 'a'}, {11, 'c'}}, only_first = {{10, 'a'}, {11, 'b'}};

constexpr std::uint32_t v2 = JournalImage::checksum_2, v3 = JournalImage::checksum_3, wide = JournalImage::bits_64,
                        async = JournalImage::async;

Shape with(std::uint32_t incompatible, std::uint32_t compatible = 0) { return {incompatible, compatible}; }

}  // namespace

TEST_CASE("whole transactions are written back in their order, whatever the form of their tags") {
  for (std::uint32_t features : {0u, wide, v2, v2 | wide, v3, v3 | wide, v3 | async, v2 | wide | async}) {
    CAPTURE(features);
    CHECK(changes(ThreeTransactions(with(features)).image) == all_three);
    CHECK(changes(ThreeTransactions(with(features & ~(v2 | v3), 1)).image) == all_three);
  }
}

TEST_CASE("a journal of version 1 has no features, whatever stands in their place") {
  CHECK(changes(ThreeTransactions({.incompatible = 0xffffffff, .version = 1}).image) == all_three);
}

TEST_CASE("a log without a start is clean, and nothing of it is written back") {
  JournalImage image({.start = 0});
  image.write(7, {{10, 'a'}});
  image.commit(7);
  image.write_super();
  CHECK(replay(image).state == JournalState::clean);
  CHECK(replay(image).newer.empty());
}

TEST_CASE("a transaction without its commit is not written back") {
  JournalImage image;
  image.write(7, {{10, 'a'}});
  image.commit(7);
  image.write(8, {{10, 'b'}, {11, 'b'}});
  image.write_super();
  CHECK(changes(image) == Changes{{10, 'a'}});
}

TEST_CASE("the log ends at a block of another transaction, of no known type, or without the magic") {
  for (std::size_t offset : {0, 7, 11}) {
    ThreeTransactions of(with(0));
    of.damage(of.descriptors[2], offset);
    CHECK(changes(of.image) == first_two);
    ThreeTransactions at_commit(with(0));
    at_commit.image.block(at_commit.commits[1])[offset] ^= std::byte(8);
    CHECK(changes(at_commit.image) == only_first);
  }
}

TEST_CASE("an empty log has nothing to write back, and counts as replayed") {
  JournalImage image;
  image.write_super();
  CHECK(changes(image).empty());
}

TEST_CASE("several descriptors make one transaction") {
  JournalImage image;
  image.write(7, {{10, 'a'}, {11, 'b'}});
  image.write(7, {{12, 'c'}, {10, 'd'}});
  image.commit(7);
  image.write_super();
  CHECK(changes(image) == Changes{{10, 'd'}, {11, 'b'}, {12, 'c'}});
}

TEST_CASE("a descriptor without a last tag ends with its block") {
  JournalImage image({.blocks = 200});
  const std::uint32_t full = (block_bytes - 12 - 16) / 8;
  std::vector<JournalImage::Write> writes;
  for (std::uint32_t i = 0; i < full; ++i) writes.push_back({i % 60, char('a' + i % 20)});
  const auto descriptor = image.write(7, writes);
  image.block(descriptor)[12 + 16 + 8 * (full - 1) + 7] ^= std::byte(JournalImage::last);
  image.commit(7);
  image.write_super();
  const auto device = image.device();
  const Replay replayed = replay_journal(*device, place_of(image, 200));
  CHECK(replayed.state == JournalState::replayed);
  CHECK(replayed.newer.moved.size() == full);
}

TEST_CASE("an escaped block begins with the magic again, and one that is written later does not") {
  JournalImage image;
  image.write(7, {{10, 'a', JournalImage::escaped}, {11, 'b', JournalImage::escaped}});
  image.write(7, {{11, 'c'}});
  image.commit(7);
  image.write_super();
  const auto device = image.device();
  block::BlockOverlay view(*device, block_bytes, replay(image).newer);
  CHECK(base::load<base::be32>(view.read(10 * block_bytes, 4)) == 0xc03b3998);
  CHECK(view.read(10 * block_bytes + 4, 1)[0] == std::byte('a'));
  CHECK(view.read(11 * block_bytes, 1)[0] == std::byte('c'));
}

TEST_CASE("a tag that is flagged as deleted is written back as the others, as the kernel does") {
  JournalImage image;
  image.write(7, {{10, 'a', JournalImage::deleted}});
  image.commit(7);
  image.write_super();
  CHECK(changes(image) == Changes{{10, 'a'}});
}

TEST_CASE("a revoked block is written back only by later transactions than the one that revokes it") {
  for (std::uint32_t features : {JournalImage::revokes, v3 | wide, v2, v3}) {
    CAPTURE(features);
    JournalImage image(with(features));
    image.write(7, {{10, 'a'}, {11, 'b'}, {12, 'c'}});
    image.commit(7);
    image.revoke(8, {10, 11});
    image.write(8, {{10, 'd'}});
    image.commit(8);
    image.write(9, {{11, 'e'}});
    image.commit(9);
    image.write_super();
    CHECK(changes(image) == Changes{{11, 'e'}, {12, 'c'}});
  }
}

TEST_CASE("of two that revoke a block the later counts, and one without its commit does not") {
  JournalImage image;
  image.revoke(7, {10, 11});
  image.write(7, {{12, 'a'}});
  image.commit(7);
  image.write(8, {{10, 'b'}, {11, 'c'}});
  image.commit(8);
  image.revoke(9, {10});
  image.write(9, {{13, 'd'}});
  image.commit(9);
  image.revoke(10, {11, 12});
  image.write_super();
  CHECK(changes(image) == Changes{{11, 'c'}, {12, 'a'}, {13, 'd'}});
}

TEST_CASE("sequence numbers go round") {
  JournalImage image({.sequence = 0xffffffff});
  image.write(0xffffffff, {{10, 'a'}, {11, 'b'}});
  image.commit(0xffffffff);
  image.revoke(0, {11});
  image.write(0, {{12, 'c'}});
  image.commit(0);
  image.write(1, {{10, 'd'}});
  image.commit(1);
  image.write_super();
  CHECK(changes(image) == Changes{{10, 'd'}, {12, 'c'}});
}

TEST_CASE("a log goes on at its ring's first block, in the middle of a transaction too") {
  for (std::uint32_t start = 20; start < JournalImage::journal_blocks; ++start) {
    CAPTURE(start);
    ThreeTransactions of({.incompatible = v3, .start = start});
    CHECK(changes(of.image) == all_three);
  }
}

TEST_CASE("a transaction that fills the ring has no commit") {
  JournalImage image;
  for (std::uint32_t i = 1; i < JournalImage::journal_blocks; ++i) image.take(5, 7);
  image.write_super();
  CHECK(changes(image).empty());
}

TEST_CASE("a block that does not match its tag's checksum is damage, unless it was revoked") {
  for (std::uint32_t features : {v2, v3, v3 | wide | async}) {
    ThreeTransactions of(with(features));
    of.damage(of.descriptors[0] + 1);
    check_ignored(of.image, "copy of block 10 is damaged");

    JournalImage image(with(features));
    const auto descriptor = image.write(7, {{10, 'a'}, {11, 'b'}});
    image.commit(7);
    image.revoke(8, {10});
    image.commit(8);
    image.write_super();
    image.block(descriptor + 1)[5] ^= std::byte(1);
    CHECK(changes(image) == Changes{{11, 'b'}});
  }
}

TEST_CASE("a descriptor or a revoke block that does not match its checksum is damage where its transaction went on") {
  for (std::uint32_t features : {v2, v3}) {
    ThreeTransactions of(with(features));
    of.damage(of.descriptors[1]);
    check_ignored(of.image, "damaged within its log");

    JournalImage image(with(features));
    const auto revoke = image.revoke(7, {10});
    image.commit(7);
    image.write_super();
    image.block(revoke)[700] ^= std::byte(1);
    check_ignored(image, "damaged within its log");
  }
}

TEST_CASE("a block that does not match its checksum is what an older round left, where its commit is the older one") {
  ThreeTransactions of(with(v3), 900);
  of.damage(of.descriptors[2]);
  CHECK(changes(of.image) == first_two);
  ThreeTransactions commit(with(v3), 900);
  commit.damage(commit.commits[2], 20);
  CHECK(changes(commit.image) == first_two);
}

TEST_CASE("a damaged descriptor of a transaction without its commit is the log's end") {
  ThreeTransactions of(with(v3));
  of.damage(of.descriptors[2]);
  of.damage(of.commits[2], 0);
  CHECK(changes(of.image) == first_two);
}

TEST_CASE("a commit that does not match its checksum is damage, and the log's end where commits are asynchronous") {
  for (std::uint32_t features : {v2, v3, v2 | async, v3 | async}) {
    CAPTURE(features);
    for (int damaged : {0, 1, 2}) {
      ThreeTransactions of(with(features));
      of.damage(of.commits[damaged], 20);
      if (!(features & async))
        check_ignored(of.image, fmt::format("transaction {} is damaged", 7 + damaged));
      else
        CHECK(changes(of.image) == (damaged == 0 ? Changes{} : damaged == 1 ? only_first : first_two));
    }
  }
}

TEST_CASE("a commit of which only its first sector was written counts") {
  ThreeTransactions of(with(v3));
  std::ranges::fill(of.image.block(of.commits[2]).subspan(512), std::byte('x'));
  CHECK(changes(of.image) == all_three);

  // The four bytes that Linux's struct of a commit is rounded up by belong to it.
  for (std::size_t offset : {60u, 63u}) {
    ThreeTransactions rounded(with(v3));
    rounded.damage(rounded.commits[2], offset);
    check_ignored(rounded.image, "transaction 9 is damaged");
  }
}

TEST_CASE("a transaction that does not match its checksum of version 1 is as such a commit, unless it bears none") {
  for (std::uint32_t features : {0u, async}) {
    CAPTURE(features);
    ThreeTransactions of(with(features, 1)), commit(with(features, 1));
    of.damage(of.descriptors[1] + 1);
    commit.damage(commit.commits[2], 16);
    if (features & async) {
      CHECK(changes(of.image) == only_first);
      CHECK(changes(commit.image) == first_two);
    } else {
      check_ignored(of.image, "transaction 8 is damaged");
      check_ignored(commit.image, "transaction 9 is damaged");
    }

    ThreeTransactions unused(with(features, 1));
    std::ranges::fill(unused.image.block(unused.commits[1]).subspan(12, 8), std::byte(0));
    unused.damage(unused.descriptors[1] + 1);
    CHECK(changes(unused.image) == all_three);
  }
}

TEST_CASE("a superblock that cannot be is ignored, and so are features that are not known") {
  struct Damage {
    std::size_t offset;
    std::uint32_t value;
    std::string_view why;
  };
  const Damage all[] = {
      {0, 1, "no magic"},
      {4, 1, "another kind"},
      {12, 4096, "other blocks"},
      {16, 33, "claims 33 blocks of 32"},
      {20, 0, "behind its end"},
      {20, 32, "behind its end"},
      {28, 32, "behind the log's end"},
      {40, 64, "not known"},
      {44, 1, "not known"},
      {40, v2 | v3, "two kinds"},
      {40, v3, "unknown kind"},
      {40, 32, "no room"},
  };
  for (const Damage& each : all) {
    CAPTURE(each.offset, each.value);
    ThreeTransactions of(with(0));
    base::store(of.image.block(0), each.offset, base::be32(each.value));
    check_ignored(of.image, each.why);
  }
  ThreeTransactions of(with(v3));
  of.damage(0);
  check_ignored(of.image, "does not match its checksum");
  ThreeTransactions two(with(v3));
  base::store(two.image.block(0), 36, base::be32(1));
  check_ignored(two.image, "two kinds");
}

TEST_CASE("a journal that writes beyond the filesystem, or revokes more than a block holds, is ignored") {
  JournalImage far(with(wide));
  far.write(7, {{1ull << 40, 'a'}});
  far.commit(7);
  far.write_super();
  check_ignored(far, "beyond the filesystem");

  JournalImage revokes;
  const auto at = revokes.revoke(7, {10});
  revokes.commit(7);
  revokes.write_super();
  base::store(revokes.block(at), 12, base::be32(block_bytes + 1));
  check_ignored(revokes, "more than a block");
}

TEST_CASE("a journal that writes itself shows its blocks as they lie, and is not read anew") {
  JournalImage image;
  const std::uint64_t own = 60;  // of the filesystem, where its last blocks are the journal's
  image.write(7, {{own, 'a'}, {10, 'b'}});
  image.commit(7);
  image.write_super();
  JournalPlace place = place_of(image);
  place.filesystem_blocks = image.bytes().size() / block_bytes;
  const auto device = image.device();
  // Its descriptor's own block is among what it writes.
  JournalImage itself;
  itself.write(7, {{itself.place(1), 'x'}, {10, 'b'}});
  itself.commit(7);
  itself.write_super();
  const auto other = itself.device();
  const Replay replayed = replay_journal(*other, place);
  CHECK(replayed.state == JournalState::replayed);
  CHECK(replayed.newer.moved ==
        std::vector<block::MovedBlock>{{itself.place(1), itself.place(2)}, {10, itself.place(3)}});
}

TEST_CASE("a journal with fewer blocks than it claims, or that was cut off with the device, is ignored") {
  ThreeTransactions of(with(v3));
  auto device = of.image.device();
  JournalPlace place = place_of(of.image);
  place.extents.pop_back();
  CHECK(replay_journal(*device, place).state == JournalState::ignored);
  place.extents.clear();
  CHECK(replay_journal(*device, place).state == JournalState::ignored);
  // The second half of the journal lies first, and the log in what is lost.
  auto cut = of.image.bytes();
  cut.resize((JournalImage::filesystem_blocks + JournalImage::journal_blocks / 2 + 2) * block_bytes);
  device = block::memory_device(cut, "cut");
  CHECK(replay_journal(*device, place_of(of.image)).state == JournalState::ignored);
}

TEST_CASE("what a journal writes where the device was cut off is passed over") {
  JournalImage image;
  image.write(7, {{500, 'a'}, {10, 'b'}});
  image.commit(7);
  image.write_super();
  const auto device = image.device();
  JournalPlace place = place_of(image);
  place.filesystem_blocks = 1000;
  const Replay replayed = replay_journal(*device, place);
  CHECK(replayed.state == JournalState::replayed);
  CHECK(replayed.newer.moved.size() == 1);
}

TEST_CASE("a journal that is larger than any that is made is ignored before memory is taken") {
  const auto device = JournalImage().device();
  const JournalPlace place{block_bytes, 1ull << 60, {{1, 1ull << 40}}};
  CHECK(replay_journal(*device, place).state == JournalState::ignored);
}

namespace {

using hrvm::test::FastCommits;

// A transaction, 7, and fast commits on top of it.
struct WithFastCommits {
  static constexpr std::uint32_t blocks = 1100, area = 8, first = blocks - area + 1;
  JournalImage image{{.incompatible = JournalImage::fast, .blocks = blocks, .fast_blocks = area}};

  WithFastCommits() {
    image.write(7, {{10, 'a'}});
    image.commit(7);
    image.write_super();
  }
  void put(std::uint32_t number, FastCommits commits) {
    std::ranges::copy(commits.bytes(), image.block(first + number).begin());
  }
  Replay replay() {
    const auto device = image.device();
    return replay_journal(*device, place_of(image, blocks));
  }
  void check(FastCommits expected) {
    const Replay replayed = replay();
    INFO(replayed.why);
    CHECK(replayed.state == JournalState::replayed);
    CHECK(replayed.newer.moved.size() == 1);
    CHECK(replayed.fast_commits == expected.bytes());
  }
  void check_ignored(std::string_view why) {
    const Replay ignored = replay();
    CHECK(ignored.state == JournalState::ignored);
    CHECK_THAT(ignored.why, Catch::Contains(std::string(why)));
  }
};

FastCommits some() { return FastCommits().link(2, 12, "name").del_range(12, 0, 5); }

// With what goes on to the block's end.
FastCommits closed(FastCommits commits, std::uint32_t sequence = 8) {
  commits.tail(sequence, block_bytes);
  return commits;
}

}  // namespace

TEST_CASE("fast commits count up to the last tail that is sound, over blocks and padding") {
  WithFastCommits of;
  of.check({});
  FastCommits first;
  first.head(8).link(2, 12, "name").padding(20).del_range(12, 0, 5).tail(8, block_bytes);
  of.put(0, first);
  of.check(some());
  of.put(1, closed(FastCommits().link(2, 13, "other")));
  of.check(some().link(2, 13, "other"));
  FastCommits open;
  open.link(2, 14, "not-closed");
  of.put(2, open);
  of.check(some().link(2, 13, "other"));
}

TEST_CASE("fast commits of another transaction are what an older round left, and end those before") {
  WithFastCommits of;
  FastCommits older;
  older.head(7).link(2, 12, "name").tail(7);
  of.put(0, older);
  of.check({});
  FastCommits newer;
  newer.head(8).link(2, 12, "name").del_range(12, 0, 5).tail(8, block_bytes);
  of.put(0, newer);
  of.put(1, older);
  of.check(some());
  of.put(1, closed(FastCommits().link(2, 13, "other"), 7));
  of.check(some());
}

TEST_CASE("damage before the first tail of fast commits is damage, behind it their end") {
  FastCommits sound;
  sound.head(8).link(2, 12, "name").tail(8, block_bytes);
  // A byte of the name, its record's length, the tail's checksum.
  for (std::size_t at : {25, 15, 37}) {
    CAPTURE(at);
    WithFastCommits of;
    FastCommits damaged = sound;
    damaged.bytes()[at] ^= std::byte(1);
    of.put(0, damaged);
    of.check_ignored("damaged");
    of.put(0, sound);
    of.put(1, damaged);
    of.check(FastCommits().link(2, 12, "name"));
  }
}

TEST_CASE("fast commits with features, or that fill their area, are ignored") {
  WithFastCommits of;
  FastCommits strange;
  strange.head(8, 1).link(2, 12, "name").tail(8);
  of.put(0, strange);
  of.check_ignored("features");
  for (std::uint32_t at = 0; at < WithFastCommits::area - 1; ++at) {
    FastCommits full;
    if (at == 0) full.head(8);
    full.padding(20).tail(8, block_bytes);
    of.put(at, full);
  }
  of.check_ignored("no end");
}

}  // namespace hrvm::fs::jbd2
