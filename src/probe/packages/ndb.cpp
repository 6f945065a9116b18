// rpm's ndb, Packages.db (rpm's sources, lib/backend/ndb/rpmpkg.c): pages of slots, the first of which begins with a
// header, then blobs in blocks of 16 bytes to which the slots lead.
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "probe/packages/read_file.hpp"
#include "probe/packages/rpm_records.hpp"

namespace hrvm::probe {
namespace {

using base::le32, base::Error, base::ErrorKind;

constexpr std::size_t page_bytes = 4096, block_bytes = 16;

struct NdbHeader {
  le32 magic, version, generation, slot_pages, next_package, reserved[3];
};
static_assert(sizeof(NdbHeader) == 32);
constexpr std::uint32_t header_magic = 0x506d7052;  // "RpmP"

struct Slot {
  le32 magic, package, first_block, blocks;
};
static_assert(sizeof(Slot) == block_bytes);
constexpr std::uint32_t slot_magic = 0x746f6c53;  // "Slot"

struct BlobHead {
  le32 magic, package, time, length;
};
static_assert(sizeof(BlobHead) == 16);
constexpr std::uint32_t head_magic = 0x53626c42;  // "BlbS"

struct BlobTail {
  le32 adler32, length, magic;
};
static_assert(sizeof(BlobTail) == 12);
constexpr std::uint32_t tail_magic = 0x45626c42;  // "BlbE"

class Ndb {
 public:
  Ndb(fs::FileSystem& files, const std::string& path) : file_(files, path), bytes_left_(file_.size()) {}

  void visit(const RecordVisitor& visitor) {
    std::vector<std::byte> page(page_bytes);
    read(0, page);
    const auto header = base::load<NdbHeader>(page);
    if (header.magic != header_magic) fail("it does not begin as an rpm database of the kind ndb does", 0);
    if (header.version != 0)
      throw Error(ErrorKind::unsupported, "it is of a version of ndb that hrvm does not know").on(file_.path());
    for (std::uint64_t number = 0; number < header.slot_pages; ++number) {
      if (number > 0) read(number * page_bytes, page);
      for (std::size_t at = number == 0 ? sizeof(NdbHeader) : 0; at < page_bytes; at += sizeof(Slot))
        visit_slot(base::load<Slot>(page, at), number * page_bytes + at, visitor);
    }
  }

 private:
  [[noreturn]] void fail(const char* what, std::uint64_t offset) {
    throw Error(ErrorKind::corrupt, what).on(file_.path()).at(offset);
  }

  // No byte belongs to two of them: more than the file has is not read.
  void read(std::uint64_t offset, std::span<std::byte> out) {
    if (out.size() > bytes_left_ || offset > file_.size() - out.size()) fail("a part of it lies outside it", offset);
    bytes_left_ -= out.size();
    file_.read(offset, out);
  }

  void visit_slot(const Slot& slot, std::uint64_t offset, const RecordVisitor& visitor) {
    if (slot.magic != slot_magic) fail("there is no slot where one has to be", offset);
    if (slot.first_block == 0) return;
    const std::uint64_t length = std::uint64_t(slot.blocks) * block_bytes;
    const std::uint64_t start = std::uint64_t(slot.first_block) * block_bytes;
    if (length < sizeof(BlobHead) + sizeof(BlobTail) || length > largest_record || length > bytes_left_)
      fail("a slot leads to what is no package", offset);
    blob_.resize(std::size_t(length));
    read(start, blob_);
    const auto head = base::load<BlobHead>(blob_);
    const auto tail = base::load<BlobTail>(blob_, blob_.size() - sizeof(BlobTail));
    if (head.magic != head_magic || head.package != slot.package || tail.magic != tail_magic ||
        tail.length != head.length || head.length > blob_.size() - sizeof(BlobHead) - sizeof(BlobTail))
      fail("a slot leads to what is no package", start);
    visitor(std::span(blob_).subspan(sizeof(BlobHead), head.length));
  }

  ReadFile file_;
  std::uint64_t bytes_left_;
  std::vector<std::byte> blob_;
};

}  // namespace

void visit_ndb_records(fs::FileSystem& files, const std::string& path, const RecordVisitor& visitor) {
  Ndb(files, path).visit(visitor);
}

}  // namespace hrvm::probe
