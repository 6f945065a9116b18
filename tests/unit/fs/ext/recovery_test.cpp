// Journals that debugfs has written into filesystems of mke2fs.
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/read_cache.hpp"
#include "support/fast_commits.hpp"
#include "support/few_blocks.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

constexpr std::uint64_t block_bytes = 4096;
const std::string old_name = "old\n", new_name = "new\n";

// /hostname was replaced, and that lies in the journal only. `first` are the first bytes of its block there.
class Crashed {
 public:
  explicit Crashed(std::vector<std::string> options = {"-t", "ext4"}) {
    folder_.write("tree/hostname", old_name);
    options.insert(options.begin(), {"mke2fs", "-F", "-q", "-b", "4096", "-d", folder_ / "tree"});
    options.insert(options.end(), {image(), "40M"});
    output_of(options);
    block = std::stoull(debugfs("bmap /hostname 0"));
  }

  Path image() const { return folder_ / "image"; }
  std::string debugfs(const std::string& request) { return output_of({"debugfs", "-w", "-R", request, image()}); }
  void write_journal(std::string content = new_name) {
    content.resize(block_bytes);
    folder_.write("block", content);
    folder_.write("requests", fmt::format("jo -c\njw -b {} {}\njc\n", block, Path(folder_ / "block").string()));
    output_of({"debugfs", "-w", "-f", folder_ / "requests", image()});
  }
  FileSystem& open() {
    device = block::open_device(image());
    files = open_ext(*device);
    return *files;
  }

  std::unique_ptr<block::BlockDevice> device;
  std::unique_ptr<FileSystem> files;
  std::uint64_t block = 0;

 private:
  TemporaryDirectory folder_;
};

std::string text(block::BlockDevice& device, std::uint64_t offset, std::size_t length) {
  std::string told;
  for (std::byte byte : device.read(offset, length)) told += char(byte);
  return told;
}

}  // namespace

TEST_CASE("what lies in the journal only is read, of extents and of pointers, and nothing is written") {
  for (const auto& options : std::vector<std::vector<std::string>>{{"-t", "ext4"}, {"-t", "ext3"}}) {
    Crashed crashed(options);
    crashed.write_journal();
    const auto before = sys::read_file(crashed.image(), 64 << 20);
    auto& files = crashed.open();
    CHECK(files.journal() == JournalState::replayed);
    CHECK(files.needs_recovery());
    CHECK(read_all(files, "/hostname") == new_name);
    CHECK((sys::read_file(crashed.image(), 64 << 20) == before));
    CHECK(text(*crashed.device, crashed.block * block_bytes, 4) == old_name);
  }
}

TEST_CASE("an extent tells where the newer bytes lie on the device") {
  Crashed crashed;
  crashed.write_journal();
  auto& files = crashed.open();
  const auto extent = files.extent_at(*find(files, "/hostname"), 0, 4);
  REQUIRE(extent.has_value());
  CHECK(extent->stored == Stored::plain);
  CHECK(text(*crashed.device, extent->device_offset, 4) == new_name);
}

TEST_CASE("a block that begins with the journal's magic is read, and is nowhere on the device as it is") {
  Crashed crashed;
  const std::string magic = "\xc0\x3b\x39\x98";
  crashed.write_journal(magic);
  auto& files = crashed.open();
  CHECK(read_all(files, "/hostname") == magic);
  CHECK(files.extent_at(*find(files, "/hostname"), 0, 4)->stored == Stored::packed);
}

TEST_CASE("a filesystem that was not closed and has nothing in its journal is clean, and needed recovery") {
  Crashed crashed;
  crashed.debugfs("feature needs_recovery");
  auto& files = crashed.open();
  CHECK(files.journal() == JournalState::clean);
  CHECK(files.needs_recovery());
  CHECK(read_all(files, "/hostname") == old_name);
}

TEST_CASE("a journal of a filesystem that was closed is not looked at: one read opens it") {
  Crashed crashed;
  crashed.write_journal();
  crashed.debugfs("feature ^needs_recovery");
  const auto device = block::open_device(crashed.image());
  block::ReadCache counting(*device);
  const auto files = open_ext(counting);
  CHECK(counting.count().reads == 1);
  CHECK(files->journal() == JournalState::clean);
  CHECK_FALSE(files->needs_recovery());
  CHECK(read_all(*files, "/hostname") == old_name);
}

TEST_CASE("a journal whose inode is damaged is found by the superblock's copy of it, and without that is ignored") {
  for (const std::string damage : {"sif <8> block[0] 0", "sif <8> mode 0", "sif <8> links_count 0"}) {
    CAPTURE(damage);
    Crashed crashed;
    crashed.write_journal();
    crashed.debugfs(damage);
    auto& files = crashed.open();
    CHECK(files.journal() == JournalState::replayed);
    CHECK(read_all(files, "/hostname") == new_name);
    crashed.debugfs("ssv jnl_backup_type 0");
    CHECK(crashed.open().journal() == JournalState::ignored);
    CHECK(read_all(*crashed.files, "/hostname") == old_name);
  }
}

TEST_CASE("a journal on another device is ignored") {
  Crashed crashed;
  crashed.write_journal();
  crashed.debugfs("ssv journal_inum 0");
  CHECK(crashed.open().journal() == JournalState::ignored);
  CHECK(read_all(*crashed.files, "/hostname") == old_name);
}

TEST_CASE("a journal that makes the superblock none is ignored, and what was there before is read") {
  Crashed crashed;
  crashed.block = 0;
  crashed.write_journal();
  CHECK(crashed.open().journal() == JournalState::ignored);
  CHECK(read_all(*crashed.files, "/hostname") == old_name);
}

namespace {

// Fast commits on top of the transaction that debugfs writes.
void add_fast_commits(Crashed& crashed, hrvm::test::FastCommits commits) {
  const auto block_of = [&](std::size_t number) {
    return std::stoull(crashed.debugfs(fmt::format("bmap <8> {}", number)));
  };
  auto image = sys::read_file(crashed.image(), 64 << 20);
  const auto bytes = std::as_writable_bytes(std::span(image));
  const auto super = bytes.subspan(block_of(0) * block_bytes, 1024);
  base::store(super, 40, base::be32(base::load<base::be32>(super, 40) | 32));
  const std::uint32_t blocks = base::load<base::be32>(super, 16), area = base::load<base::be32>(super, 84);
  const auto place = bytes.subspan(block_of(blocks - area + 1) * block_bytes, block_bytes);
  std::ranges::copy(commits.bytes(), place.begin());
  std::ofstream(crashed.image(), std::ios::binary | std::ios::in).write(image.data(), std::streamsize(image.size()));
}

}  // namespace

TEST_CASE("fast commits are shown on top of the transactions, all of them or none") {
  for (const bool is_sound : {true, false}) {
    Crashed crashed({"-t", "ext4", "-O", "fast_commit,^metadata_csum"});
    crashed.write_journal();
    const std::uint64_t inode = find(crashed.open(), "/hostname")->id;
    const auto journal = std::stoull(crashed.debugfs("bmap <8> 0"));
    const std::uint32_t sequence = base::load<base::be32>(crashed.device->read(journal * block_bytes + 24, 4));
    hrvm::test::FastCommits commits;
    commits.head(sequence + 1).link(2, std::uint32_t(inode), "again").unlink(2, std::uint32_t(inode), "hostname");
    if (!is_sound) commits.create(2, 4000, "of-none");
    add_fast_commits(crashed, commits.tail(sequence + 1));
    auto& files = crashed.open();
    CHECK(files.journal() == (is_sound ? JournalState::replayed : JournalState::ignored));
    CHECK(find(files, "/again").has_value() == is_sound);
    CHECK(find(files, "/hostname").has_value() != is_sound);
    CHECK(read_all(files, is_sound ? "/again" : "/hostname") == new_name);
  }
}

TEST_CASE("fast commits that the kernel has left are shown") {
  const auto packed = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/ext_disks/fast-commits.packed", base::MiB);
  FewBlocks disk(std::as_bytes(std::span(packed)), 2560 * base::KiB);
  const auto files = open_ext(disk);
  CHECK(files->journal() == JournalState::replayed);
  const auto names = listing(*files, "/");
  CHECK((names == std::map<std::string, FileKind>{{"etc", FileKind::directory},
                                                  {"folder", FileKind::directory},
                                                  {"lost+found", FileKind::directory},
                                                  {"made", FileKind::regular},
                                                  {"renamed", FileKind::regular}}));
  CHECK(read_all(*files, "/made") == "made\n");
  CHECK(read_all(*files, "/folder/in") == "in\n");
  CHECK(read_all(*files, "/etc/os-release") == "ID=debian\n");
  CHECK(files->info("/renamed")->size_bytes == 100);
}

}  // namespace hrvm::fs::test
