// Logs written by hand over that of a fresh XFS, and one that the kernel left (support/make-dirty-xfs.sh). What it
// leaves in others is compared by the system tests.
#include "fs/xfs/format.hpp"
#include "fs/xfs/log_format.hpp"
#include "hrvm/base/crc32.hpp"
#include "support/few_blocks.hpp"
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

using namespace xfs;
using base::le16, base::le32, base::le64;

template <typename T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

constexpr std::uint32_t cycle = 1;

// The body of a record at the log's start.
class LogWriter {
 public:
  void op(std::uint8_t flags, const std::string& data = "") {
    Operation operation{7, std::uint32_t(data.size()), client_transaction, flags, 0};
    body += bytes_of(operation) + data;
    ++operations;
  }
  void start() {
    op(op_start);
    op(0, bytes_of(TransactionHeader{transaction_magic, 0, 7, 1}));
  }
  void item(const std::vector<std::string>& regions) {
    for (const auto& region : regions) op(0, region);
  }
  void commit() { op(op_commit); }

  // Nothing but zeros follows it.
  void write(Damaged& device, std::uint64_t offset) const {
    std::string padded = body;
    padded.resize(base::round_up(padded.size(), log_sector));
    RecordHeader header{};
    header.magic = record_magic;
    header.cycle = cycle;
    header.version = 2;
    header.bytes = std::uint32_t(padded.size());
    header.place = header.tail = std::uint64_t(cycle) << 32;
    header.operations = operations;
    header.format = little_endian_format;
    header.most_bytes = 32768;
    for (std::size_t i = 0; i < padded.size() / log_sector; ++i) {
      std::memcpy(header.first_words[i].data(), padded.data() + i * log_sector, 4);
      padded.replace(i * log_sector, 4, bytes_of(base::be32(cycle)));
    }
    std::string sector = bytes_of(header);
    sector.resize(log_sector);
    const auto sum = [](std::uint32_t crc, std::string_view text) {
      return base::crc32_register<base::CrcPolynomial::castagnoli>(crc, std::as_bytes(std::span(text)));
    };
    header.crc = ~sum(sum(~0u, std::string_view(sector).substr(0, 328)), padded);
    sector.replace(0, sizeof header, bytes_of(header));
    sector += padded;
    sector.resize(sector.size() + 256 * log_sector);
    for (const char each : sector) device.wrong[offset++] = std::byte(each);
  }

  std::string body;
  unsigned operations = 0;
};

// An XFS with one link.
struct OneLink {
  OneLink() : image(make_xfs(folder, "l l--777 0 0 old-target\n", {})), whole(block::open_device(image)) {
    const auto super = ask_xfs_db(image, {"sb 0", "print logstart"});
    log = offset_by_xfs_db(image, {fmt::format("fsblock {}", number_after(super, "= "))});
    inode = offset_by_xfs_db(image, {"path /l"});
    number = number_after(ask_xfs_db(image, {"path /l", "addr"}), "inode ");
  }

  std::vector<std::string> inode_item() const {
    InodeItem item{};
    item.type = item_inode;
    item.regions = 3;
    item.fields = 1 | field_data;
    item.inode = number;
    item.sector = inode / log_sector;
    item.sectors = 32;
    std::string core(sizeof(DiskInode), '\0');
    const auto put = [&](std::size_t at, const auto& value) { core.replace(at, sizeof value, bytes_of(value)); };
    put(offsetof(DiskInode, magic), le16(inode_magic));
    put(offsetof(DiskInode, mode), le16(0120741));
    put(offsetof(DiskInode, version), std::uint8_t(3));
    put(offsetof(DiskInode, format), std::uint8_t(format_local));
    put(offsetof(DiskInode, uid), le32(70000));
    put(offsetof(DiskInode, links), le32(1));
    put(offsetof(DiskInode, size), le64(12));
    put(offsetof(DiskInode, modified), le32(std::uint32_t(-5)));
    put(offsetof(DiskInode, modified) + 4, le32(77));
    put(offsetof(DiskInode, generation), le32(99));
    put(offsetof(DiskInode, number), le64(number));
    return {bytes_of(item), core, "newer-target"};
  }

  // 128 bytes of the inode, with another target.
  std::vector<std::string> buffer_item(std::uint16_t flags) const {
    const BufferItem item{
        item_buffer, std::uint16_t(flags & buffer_cancelled ? 1 : 2), flags, 1, inode / log_sector, 1};
    const auto old = whole->read(inode + chunk_bytes, chunk_bytes);
    std::string chunk(reinterpret_cast<const char*>(old.data()), old.size());
    chunk.replace(sizeof(DiskInode) - chunk_bytes, 10, "new-target");
    if (flags & buffer_cancelled) return {bytes_of(item) + bytes_of(le32(0))};
    return {bytes_of(item) + bytes_of(le32(2)), chunk};
  }

  TemporaryDirectory folder;
  Path image;
  std::unique_ptr<block::BlockDevice> whole;
  std::uint64_t log = 0, inode = 0, number = 0;
};

struct Shown {
  JournalState journal;
  std::string target;
  friend bool operator==(const Shown&, const Shown&) = default;
};

Shown shown(Damaged& device) {
  const auto files = open_xfs(device);
  return {files->journal(), files->read_link("/l")};
}

Shown shown(const OneLink& xfs, const LogWriter& log) {
  Damaged device(*xfs.whole);
  log.write(device, xfs.log);
  return shown(device);
}

const Shown as_it_lies{JournalState::ignored, "old-target"}, unchanged{JournalState::replayed, "old-target"},
    inode_done{JournalState::replayed, "newer-target"}, buffer_done{JournalState::replayed, "new-target"};

}  // namespace

TEST_CASE("an inode in the log is shown in the place of that on the disk") {
  const OneLink xfs;
  LogWriter log;
  log.start();
  log.item(xfs.inode_item());
  log.commit();
  Damaged device(*xfs.whole);
  log.write(device, xfs.log);
  const auto files = open_xfs(device);
  CHECK(files->journal() == JournalState::replayed);
  CHECK(files->needs_recovery());
  const Stat stat = files->stat(node_of(*files, "/l"));
  CHECK((stat.mode == 0741 && stat.uid == 70000 && stat.size_bytes == 12 && stat.node.generation == 99));
  CHECK((stat.times.modified == Time{-5, 77}));
  CHECK(files->read_link("/l") == "newer-target");
}

TEST_CASE("what is in the log and was not committed is not shown") {
  const OneLink xfs;
  LogWriter log;
  log.start();
  log.item(xfs.inode_item());
  CHECK((shown(xfs, log) == unchanged));
}

TEST_CASE("a region of the log may go on in a later operation") {
  const OneLink xfs;
  LogWriter log;
  log.start();
  const auto item = xfs.inode_item();
  log.op(0, item[0]);
  log.op(op_continues, item[1].substr(0, 50));
  log.op(op_continued, item[1].substr(50));
  log.op(0, item[2]);
  log.commit();
  CHECK((shown(xfs, log) == inode_done));
}

TEST_CASE("an inode that is newer than the log is left as it is") {
  const OneLink xfs;
  LogWriter log;
  log.start();
  log.item(xfs.inode_item());
  log.commit();
  Damaged device(*xfs.whole);
  log.write(device, xfs.log);
  device.put(xfs.inode + offsetof(DiskInode, log_place), base::be64((std::uint64_t(cycle) << 32) + 1));
  CHECK((shown(device) == unchanged));
}

TEST_CASE("a buffer in the log is shown, but not where it was given up later") {
  const OneLink xfs;
  for (const bool is_given_up : {false, true}) {
    LogWriter log;
    log.start();
    log.item(xfs.buffer_item(0));
    log.commit();
    if (is_given_up) {
      log.start();
      log.item(xfs.buffer_item(buffer_cancelled));
      log.commit();
    }
    CHECK((shown(xfs, log) == (is_given_up ? unchanged : buffer_done)));
    log.start();
    log.item(xfs.buffer_item(0));
    log.commit();
    CHECK((shown(xfs, log) == buffer_done));
  }
}

TEST_CASE("a promise that is not kept makes a log ignored where it changes files") {
  const OneLink xfs;
  const auto outcome = [&](std::vector<std::uint16_t> types) {
    LogWriter log;
    log.start();
    log.item(xfs.inode_item());
    for (const auto type : types) log.item({bytes_of(IntentItem{type, 1, 1, 5})});
    log.commit();
    return shown(xfs, log);
  };
  CHECK((outcome({item_extent_free_intent, item_reverse_map_intent, item_reference_intent}) == inode_done));
  CHECK((outcome({item_map_intent}) == as_it_lies));
  CHECK((outcome({item_attribute_intent}) == as_it_lies));
  CHECK((outcome({item_map_intent, item_map_done, item_attribute_intent, item_attribute_done}) == inode_done));
  CHECK((outcome({item_map_intent, item_attribute_done}) == as_it_lies));
  CHECK((outcome({0x1299}) == as_it_lies));
}

TEST_CASE("a log of which no record is whole is ignored") {
  const OneLink xfs;
  LogWriter log;
  log.start();
  log.item(xfs.inode_item());
  log.commit();
  Damaged device(*xfs.whole);
  log.write(device, xfs.log);
  device.put(xfs.log + log_sector + 100, std::uint8_t(0xaa));
  CHECK((shown(device) == as_it_lies));
}

TEST_CASE("a log that the kernel has not written back is replayed over what it changes") {
  const auto packed = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/xfs_disks/dirty-log.packed", base::MiB);
  FewBlocks disk(std::as_bytes(std::span(packed)), 300 * base::MiB);
  const auto files = open_xfs(disk);
  CHECK(files->journal() == JournalState::replayed);
  const auto names = listing(*files, "/");
  CHECK((names == std::map<std::string, FileKind>{{"d", FileKind::directory},
                                                  {"folder", FileKind::directory},
                                                  {"made", FileKind::regular},
                                                  {"newer", FileKind::symlink},
                                                  {"numbers", FileKind::regular}}));
  CHECK(read_all(*files, "/made") == "made\n");
  CHECK(read_all(*files, "/d/renamed") == "old\n");
  CHECK_FALSE(files->info("/d/old"));
  CHECK(files->read_link("/newer") == "d/renamed");
  CHECK(listing(*files, "/folder").size() == 29);
  CHECK_FALSE(files->info("/folder/name-7"));
  const auto numbers = node_of(*files, "/numbers");
  CHECK(files->stat(numbers).size_bytes == 100);
  CHECK(files->stat(numbers).mode == 0600);
  CHECK((files->attributes(numbers) == std::vector<Attribute>{{"user.note", "after"}}));
}

}  // namespace hrvm::fs::test
