// Fast commits, record by record, on filesystems of mke2fs.
#include "fs/ext/fast_replay.hpp"

#include <set>

#include "fs/ext/attributes.hpp"
#include "fs/ext/blocks.hpp"
#include "fs/ext/folder.hpp"
#include "fs/ext/inode.hpp"
#include "support/fast_commits.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::ext {
namespace {

using hrvm::test::FastCommits;
using test::output_of, test::Path, test::TemporaryDirectory;

constexpr std::uint32_t block_bytes = 4096;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// /one (5 blocks), /two and /folder/three.
class Disk {
 public:
  explicit Disk(const std::string& features = "fast_commit") {
    folder_.write("tree/one", test::long_text(5 * block_bytes));
    folder_.write("tree/two", "two");
    folder_.write("tree/folder/three", "three");
    output_of({"mke2fs", "-F", "-q", "-t", "ext4", "-b", "4096", "-O", features, "-d", folder_ / "tree",
               folder_ / "image", "16M"});
    device_ = block::open_device(folder_ / "image");
    volume.emplace(*device_);
    one = at(root_inode, "one").value();
    two = at(root_inode, "two").value();
    folder = at(root_inode, "folder").value();
    three = at(folder, "three").value();
  }

  void replay(FastCommits& commits) { replay_fast_commits(*volume, commits.bytes()); }

  std::optional<std::uint32_t> at(std::uint32_t in, std::string_view name) {
    const auto found = find_in_folder(*volume, volume->file(in), name);
    return found ? std::optional(std::uint32_t(found->id)) : std::nullopt;
  }
  std::set<std::string> names(std::uint32_t in) {
    std::set<std::string> all;
    visit_folder(*volume, volume->file(in), [&](const DirectoryEntry& entry) {
      CHECK(all.emplace(entry.name).second);
      CHECK(entry.node.id == at(in, entry.name));
      CHECK(entry.kind == kind_of(volume->file(std::uint32_t(entry.node.id))));
      return true;
    });
    return all;
  }
  unsigned links(std::uint32_t inode) { return volume->file(inode).inode.links_count; }
  std::uint64_t place(std::uint32_t inode, std::uint64_t block) {
    return run_at(*volume, volume->file(inode), block).volume_block;
  }
  std::vector<std::byte> raw(std::uint32_t inode, std::size_t bytes = 160) {
    std::vector<std::byte> out(bytes);
    volume->read_inode(volume->file(inode), 0, out);
    return out;
  }
  // An inode that is in use, as a record has it: of another file, with nothing in i_block.
  std::vector<std::byte> fresh(std::uint16_t mode, std::uint32_t size, std::uint32_t flags = flag_extents) {
    std::vector<std::byte> out(160);
    base::store(out, offsetof(Inode, mode), base::le16(mode));
    base::store(out, offsetof(Inode, size_lo), base::le32(size));
    base::store(out, offsetof(Inode, links_count), base::le16(1));
    base::store(out, offsetof(Inode, flags), base::le32(flags));
    base::store(out, offsetof(Inode, extra_isize), base::le16(32));
    return out;
  }
  std::string read(std::uint32_t inode) {
    std::vector<std::byte> out(volume->file_size(volume->file(inode)));
    read_blocks(*volume, volume->file(inode), 0, out);
    return text_of(out);
  }

  std::optional<Volume> volume;
  std::uint32_t one = 0, two = 0, three = 0, folder = 0;
  static constexpr std::uint32_t unused = 30;  // an inode

 private:
  TemporaryDirectory folder_;
  std::unique_ptr<block::BlockDevice> device_;
};

void check_refused(Disk& disk, FastCommits& commits, base::ErrorKind kind) {
  try {
    disk.replay(commits);
    FAIL("nothing is refused");
  } catch (const base::Error& error) {
    CHECK(error.kind() == kind);
  }
}

}  // namespace

TEST_CASE("a fast commit's link is a name more, unless it is there or its file is not") {
  Disk disk;
  FastCommits commits;
  commits.link(disk.folder, disk.one, "linked").link(disk.folder, disk.one, "three");
  commits.link(disk.folder, Disk::unused, "of-none").link(Disk::unused, disk.one, "in-none");
  disk.replay(commits);
  CHECK(disk.names(disk.folder) == std::set<std::string>{"linked", "three"});
  CHECK(disk.at(disk.folder, "linked") == disk.one);
  CHECK(disk.at(disk.folder, "three") == disk.three);
  CHECK(disk.links(disk.one) == 2);
}

TEST_CASE("a fast commit's unlink takes a name and a link, and leaves the name to another file") {
  Disk disk;
  FastCommits commits;
  commits.link(root_inode, disk.one, "again").unlink(root_inode, disk.one, "one");
  commits.unlink(root_inode, disk.one, "none").unlink(disk.folder, disk.three, "three");
  commits.link(root_inode, disk.two, "twice").unlink(root_inode, disk.two, "again");
  disk.replay(commits);
  CHECK(disk.names(root_inode) == std::set<std::string>{"again", "folder", "lost+found", "two", "twice"});
  CHECK(disk.names(disk.folder).empty());
  CHECK(disk.links(disk.one) == 1);
  CHECK(disk.links(disk.two) == 1);
  CHECK(disk.links(disk.three) == 0);
}

TEST_CASE("a name that was removed can be given again, and a visit ends within the names that are new") {
  Disk disk;
  FastCommits commits;
  commits.unlink(disk.folder, disk.three, "three").link(disk.folder, disk.two, "three");
  disk.replay(commits);
  CHECK(disk.at(disk.folder, "three") == disk.two);
  int met = 0;
  visit_folder(*disk.volume, disk.volume->file(root_inode), [&](const DirectoryEntry&) { return ++met, false; });
  visit_folder(*disk.volume, disk.volume->file(disk.folder), [&](const DirectoryEntry&) { return ++met, false; });
  CHECK(met == 2);
}

TEST_CASE("a fast commit's inode replaces the fields and keeps the extents and what lies behind the record") {
  Disk disk;
  auto raw = disk.raw(disk.one);
  std::ranges::fill(std::span(raw).subspan(offsetof(Inode, block), 60), std::byte(0x77));
  base::store(raw, offsetof(Inode, size_lo), base::le32(3 * block_bytes));
  base::store(raw, offsetof(Inode, mode), base::le16(0100640));
  base::store(raw, offsetof(Inode, generation), base::le32(77));
  const auto before = disk.raw(disk.one, 256);
  FastCommits commits;
  commits.inode(disk.one, std::span(raw).first(140));
  disk.replay(commits);
  CHECK(disk.read(disk.one) == test::long_text(5 * block_bytes).substr(0, 3 * block_bytes));
  const Stat stat = stat_of(*disk.volume, disk.volume->file(disk.one));
  CHECK(stat.mode == 0640);
  CHECK(stat.node.generation == 77);
  const auto after = disk.raw(disk.one, 256);
  CHECK(std::ranges::equal(std::span(after).subspan(140), std::span(before).subspan(140)));
}

TEST_CASE("a file that a fast commit makes has an empty tree, and what ranges tell then") {
  Disk disk;
  FastCommits commits;
  commits.inode(Disk::unused, disk.fresh(0100644, 3 * block_bytes));
  commits.add_range(Disk::unused, 1, 1, std::uint32_t(disk.place(disk.one, 2)))
      .create(disk.folder, Disk::unused, "new");
  disk.replay(commits);
  CHECK(disk.at(disk.folder, "new") == Disk::unused);
  CHECK(disk.links(Disk::unused) == 1);
  const std::string zeros(block_bytes, '\0');
  CHECK(disk.read(Disk::unused) ==
        zeros + test::long_text(5 * block_bytes).substr(2 * block_bytes, block_bytes) + zeros);
}

TEST_CASE("a folder that a fast commit makes has one block, one link, and the names that it is given") {
  for (std::uint32_t flags : {flag_extents, flag_inline_data}) {
    Disk disk(flags == flag_extents ? "fast_commit" : "fast_commit,inline_data");
    FastCommits commits;
    auto raw = disk.fresh(040755, 9999, flags);
    base::store(raw, offsetof(Inode, links_count), base::le16(5));
    commits.inode(Disk::unused, raw).create(root_inode, Disk::unused, "made").link(Disk::unused, disk.two, "within");
    disk.replay(commits);
    CHECK(disk.names(Disk::unused) == std::set<std::string>{"within"});
    CHECK_FALSE(disk.at(Disk::unused, "three"));
    CHECK(disk.names(root_inode).contains("made"));
    const Stat stat = stat_of(*disk.volume, disk.volume->file(Disk::unused));
    CHECK(stat.size_bytes == (flags == flag_extents ? block_bytes : 60));
    CHECK(stat.links == 1);
    CHECK(disk.links(root_inode) == 4);
  }
}

TEST_CASE("a folder that a transaction has made already is not made again") {
  Disk disk;
  FastCommits commits;
  commits.inode(disk.folder, disk.raw(disk.folder)).create(root_inode, disk.folder, "folder");
  disk.replay(commits);
  CHECK(disk.names(disk.folder) == std::set<std::string>{"three"});
  CHECK(disk.links(disk.folder) == 2);
}

TEST_CASE("ranges lie over a file's extents, the later over the earlier, written or not") {
  Disk disk;
  const auto base = std::uint32_t(disk.place(disk.one, 0));
  FastCommits commits;
  commits.add_range(disk.one, 1, 3, 1000).del_range(disk.one, 2, 1).add_range(disk.one, 3, 32768 + 1, 2000);
  commits.add_range(disk.one, 8, 2, 1500).add_range(disk.one, 9, 1, 1600).del_range(disk.one, 0xfffffff0, 0xffffffff);
  disk.replay(commits);
  const std::vector<std::uint64_t> expected = {base, 1000, 0, 0, base + 4, 0, 0, 0, 1500, 1600, 0};
  for (std::uint64_t block = 0; block < expected.size(); ++block) {
    CAPTURE(block);
    CHECK(disk.place(disk.one, block) == expected[block]);
  }
  CHECK(run_at(*disk.volume, disk.volume->file(disk.one), 0).blocks == 1);
  CHECK(run_at(*disk.volume, disk.volume->file(disk.one), 4).blocks == 1);
}

TEST_CASE("a range in the middle of another leaves both its ends, and one over several takes their place") {
  Pieces pieces;
  pieces.put(10, 10, 100);
  pieces.put(13, 2, 500);
  CHECK(pieces.look(12).volume_block == 102u);
  CHECK(pieces.look(12).blocks == 1);
  CHECK(pieces.look(14).volume_block == 501u);
  CHECK(pieces.look(15).volume_block == 105u);
  CHECK(pieces.look(15).blocks == 5);
  CHECK(pieces.look(4).blocks == 6);
  CHECK_FALSE(pieces.look(4).volume_block);
  pieces.put(9, 20, 0);
  CHECK(pieces.look(13).volume_block == 0u);
  CHECK(pieces.look(9).blocks == 20);
  CHECK_FALSE(pieces.look(29).volume_block);
}

TEST_CASE("what is made of the inode of a file that is gone has none of its blocks") {
  Disk disk;
  FastCommits commits;
  commits.add_range(disk.one, 3, 1, 1000).unlink(root_inode, disk.one, "one");
  commits.inode(disk.one, disk.fresh(0100644, 5 * block_bytes)).create(disk.folder, disk.one, "new");
  disk.replay(commits);
  CHECK(disk.read(disk.one) == std::string(5 * block_bytes, '\0'));
}

TEST_CASE("fast commits that the kernel refuses, or makes something else of, are refused") {
  using enum base::ErrorKind;
  struct Refused {
    base::ErrorKind kind;
    std::function<void(FastCommits&, Disk&)> make;
  };
  const auto all = std::vector<Refused>{
      {corrupt, [](auto& to, auto& disk) { to.create(disk.folder, Disk::unused, "of-none"); }},
      {corrupt, [](auto& to, auto& disk) { to.link(disk.one, disk.two, "in-a-file"); }},
      {corrupt, [](auto& to, auto& disk) { to.link(disk.folder, disk.two, "a/b"); }},
      {corrupt, [](auto& to, auto& disk) { to.link(disk.folder, disk.two, ".."); }},
      {corrupt, [](auto& to, auto& disk) { to.add_range(disk.one, 0, 1, 4096); }},
      {corrupt, [](auto& to, auto& disk) { to.add_range(disk.one, 0, 1, 0); }},
      {corrupt, [](auto& to, auto& disk) { to.add_range(disk.one, 0xffffffff, 2, 1000); }},
      {corrupt, [](auto& to, auto& disk) { to.inode(8, disk.fresh(0100644, 0)); }},
      {corrupt, [](auto& to, auto& disk) { to.inode(0, disk.fresh(0100644, 0)); }},
      {corrupt, [](auto& to, auto& disk) { to.inode(1'000'000, disk.fresh(0100644, 0)); }},
      {corrupt, [](auto& to, auto& disk) { to.inode(disk.one, std::vector<std::byte>(257)); }},
      {corrupt, [](auto& to, auto& disk) { to.inode(disk.one, std::vector<std::byte>(160)); }},
      {unsupported,
       [](auto& to, auto& disk) {
         to.inode(Disk::unused, disk.fresh(0100644, 0, 0)).add_range(Disk::unused, 0, 1, 1000);
       }},
      {unsupported,
       [](auto& to, auto& disk) {
         to.inode(Disk::unused, disk.fresh(040755, 0, flag_extents | flag_case_folding));
         to.link(Disk::unused, disk.two, "folded");
       }},
  };
  for (const Refused& each : all) {
    CAPTURE(&each - all.data());
    Disk disk;
    FastCommits commits;
    each.make(commits, disk);
    check_refused(disk, commits, each.kind);
  }
}

TEST_CASE("attributes in an inode that a fast commit tells of are those behind the record") {
  Disk disk;
  auto raw = disk.raw(disk.two, 256);
  // One attribute, "user.a" of "xyz", behind 32 more bytes of fields.
  base::store(raw, 160, base::le32(attribute_magic));
  AttributeEntry entry{1, 1, 0, 0, 3, 0};
  entry.value_offset = 60;
  base::store(raw, 164, entry);
  raw[164 + sizeof entry] = std::byte('a');
  std::ranges::copy(std::as_bytes(std::span("xyz", 3)), raw.begin() + 164 + 60);
  FastCommits commits;
  commits.inode(disk.two, raw).inode(disk.two, std::span(raw).first(160));
  disk.replay(commits);
  CHECK(attributes_of(*disk.volume, disk.volume->file(disk.two)) == std::vector<Attribute>{{"user.a", "xyz"}});
}

}  // namespace hrvm::fs::ext
