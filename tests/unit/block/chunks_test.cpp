#include "hrvm/block/chunks.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/output_file.hpp"
#include "hrvm/sys/files.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::KiB, base::MiB;
using block::Chunk, block::ChunkWalk, block::Extent, block::ExtentKind, block::SharedSource, block::StoredExtent;

namespace {

// Has the pieces it is given, in order and without gaps; each byte tells where it stands.
class Pieces : public block::BlockDevice {
 public:
  explicit Pieces(std::vector<StoredExtent> pieces) : pieces_(std::move(pieces)) {}
  using BlockDevice::read;
  static std::byte byte_at(std::uint64_t offset) { return std::byte(1 + offset % 251); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    for (auto& byte : out) byte = byte_at(offset++);
  }
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override {
    for (auto piece : pieces_) {
      const auto end = piece.extent.offset + piece.extent.length;
      if (offset >= end) continue;
      if (piece.raw) piece.raw->offset += offset - piece.extent.offset;
      piece.extent = {offset, std::min(end - offset, limit), piece.extent.kind};
      return piece;
    }
    throw std::logic_error("behind the end");
  }
  std::uint64_t size() const override { return pieces_.back().extent.offset + pieces_.back().extent.length; }
  const std::string& name() const override { return name_; }

 private:
  std::vector<StoredExtent> pieces_;
  std::string name_ = "pieces";
};

std::vector<StoredExtent> random_pieces(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<StoredExtent> pieces;
  std::uint64_t offset = 0;
  for (int i = 0; i < 60; ++i) {
    const auto length = (1 + random() % 300) * (random() % 2 ? 512 : 64 * KiB);
    StoredExtent piece{{offset, length, random() % 2 ? ExtentKind::data : ExtentKind::zero}, std::nullopt};
    if (piece.extent.kind == ExtentKind::data && random() % 3)
      piece.raw = {7, (random() % 1000) * (random() % 4 ? 64 * KiB : 512)};
    pieces.push_back(piece);
    offset += length;
  }
  return pieces;
}

std::vector<Chunk> chunks_of(Pieces& pieces, std::uint64_t unit, bool clones) {
  SharedSource source(pieces);
  ChunkWalk walk(source, unit, [&](const block::RawLocation&) { return clones ? ~std::uint64_t(0) : 0; });
  std::vector<Chunk> chunks;
  while (auto chunk = walk.next()) chunks.push_back(*chunk);
  CHECK(walk.position() == pieces.size());
  return chunks;
}

}  // namespace

TEST_CASE("chunks hold all data and nothing else, in order, and no two of them share a unit") {
  const auto unit = GENERATE(4 * KiB, 64 * KiB, 2 * MiB);
  const bool clones = GENERATE(true, false);
  const auto pieces = random_pieces(GENERATE(range(0u, 20u)));
  Pieces device(pieces);
  std::uint64_t data = 0, told = 0, end = 0, piece_end = 0;
  for (const auto& piece : pieces) data += piece.extent.kind == ExtentKind::data ? piece.extent.length : 0;
  for (const auto& chunk : chunks_of(device, unit, clones)) {
    CHECK(chunk.offset >= end);
    CHECK(chunk.offset % unit == 0);
    end = chunk.offset + chunk.length;
    CHECK((end % unit == 0 || end == device.size()));
    if (!chunk.to_clone) CHECK(chunk.offset / block::chunk_bytes == (end - 1) / block::chunk_bytes);
    for (const auto& piece : chunk.pieces) {
      CHECK(piece.extent.kind == ExtentKind::data);
      CHECK(piece.extent.offset >= std::max(chunk.offset, piece_end));
      piece_end = piece.extent.offset + piece.extent.length;
      CHECK(piece_end <= end);
      told += piece.extent.length;
    }
  }
  CHECK(told == data);
}

TEST_CASE("what is to be cloned is whole units at a place that can be cloned, as long as it is") {
  bool found_long_one = false;
  for (unsigned seed = 0; seed < 20; ++seed) {
    Pieces device(random_pieces(seed));
    for (const auto& chunk : chunks_of(device, 64 * KiB, true)) {
      if (!chunk.to_clone) continue;
      REQUIRE(chunk.pieces.size() == 1);
      CHECK(chunk.length % (64 * KiB) == 0);
      CHECK(chunk.pieces[0].raw->offset % block::OutputFile::grid_bytes == 0);
      found_long_one |= chunk.length > block::chunk_bytes;
    }
  }
  CHECK(found_long_one);
}

TEST_CASE("a chunk is read with zeros between its pieces, whatever the buffer held") {
  const std::vector<StoredExtent> pieces = {{{0, 1000, ExtentKind::data}, {}},
                                            {{1000, 3000, ExtentKind::zero}, {}},
                                            {{4000, 96, ExtentKind::data}, {}},
                                            {{4096, 12 * KiB, ExtentKind::zero}, {}},
                                            {{16 * KiB, 4 * KiB, ExtentKind::data}, {}}};
  Pieces device(pieces);
  SharedSource source(device);
  const auto chunks = chunks_of(device, 4 * KiB, false);
  REQUIRE(chunks.size() == 1);
  std::vector<std::byte> buffer(block::chunk_bytes, std::byte{0xff});
  const auto runs = block::read_chunk(source, chunks[0], 4 * KiB, buffer);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].end() == 4 * KiB);
  CHECK(runs[1].offset == 16 * KiB);
  for (std::uint64_t at = 0; at < 4 * KiB; ++at) {
    const bool is_data = at < 1000 || at >= 4000;
    if (buffer[at] != (is_data ? Pieces::byte_at(at) : std::byte{0})) FAIL("at " << at);
  }
}

TEST_CASE("a clone that cannot be made is cut into chunks that can be copied, with all of it") {
  const StoredExtent piece{{MiB, 5 * MiB, ExtentKind::data}, block::RawLocation{7, 0}};
  const auto cells = block::cut({MiB, 5 * MiB, {piece}, true});
  REQUIRE(cells.size() == 3);
  std::uint64_t at = MiB;
  for (const auto& cell : cells) {
    CHECK_FALSE(cell.to_clone);
    CHECK(cell.offset == at);
    CHECK(cell.pieces[0].raw->offset == at - MiB);
    at += cell.length;
    CHECK(cell.length <= block::chunk_bytes);
  }
  CHECK(at == 6 * MiB);
}

namespace {

std::uint64_t cached_pages(int fd, std::uint64_t bytes) {
  void* mapping = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  REQUIRE(mapping != MAP_FAILED);
  std::vector<unsigned char> pages(bytes / std::uint64_t(::sysconf(_SC_PAGESIZE)));
  REQUIRE(::mincore(mapping, bytes, pages.data()) == 0);
  ::munmap(mapping, bytes);
  return std::uint64_t(std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }));
}

}  // namespace

TEST_CASE("what is read for the last time leaves the page cache, and nothing else does") {
  const test::TemporaryDirectory folder;
  folder.write("file", std::string(8 * MiB, 'x'));
  const auto file = sys::open_file(folder / "file", O_RDONLY);
  sys::sync_file(file.get(), folder / "file");
  const auto all = cached_pages(file.get(), 8 * MiB);
  const auto device = block::open_device(folder / "file");
  std::vector<std::byte> buffer(2 * MiB);
  const auto pages_left_by = [&](block::PageCache cache, std::uint64_t length) {
    SharedSource source(*device, cache);
    source.read(source.stored_at(0, length), std::span(buffer).first(length));
    CHECK(std::ranges::count(buffer, std::byte{'x'}) == std::ptrdiff_t(buffer.size()));
    return cached_pages(file.get(), 8 * MiB);
  };
  buffer.assign(buffer.size(), std::byte{'x'});
  CHECK(pages_left_by(block::PageCache::keep, 2 * MiB) == all);
  CHECK(pages_left_by(block::PageCache::drop, 4 * KiB) == all);
  const auto left = pages_left_by(block::PageCache::drop, 2 * MiB);
  ::posix_fadvise(file.get(), 0, 2 * MiB, POSIX_FADV_DONTNEED);
  CHECK(left == cached_pages(file.get(), 8 * MiB));  // a filesystem in memory keeps them
}
