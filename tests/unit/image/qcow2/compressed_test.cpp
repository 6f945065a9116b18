// Compressed clusters: read as QEMU reads them, and damage of every kind refused.
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "image/qcow2/compressed_clusters.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

using base::ErrorKind;

constexpr std::uint64_t disk_bytes = 5 * base::MiB + 512;

// A disk of text-like data, so that it can be compressed, with holes, compressed by qemu-img and then written to.
void make_compressed(const Folder& folder, Random& random, const std::string& options) {
  make_raw(folder / "raw", disk_bytes);
  qemu_io(folder / "raw", "raw", random_program(random, disk_bytes, 25));
  output_of({"qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, folder / "raw", folder / "image"});
  qemu_io(folder / "image", "qcow2", random_program(random, disk_bytes, 6));
}

const std::vector<std::string> kinds = {"cluster_size=512",
                                        "cluster_size=4k,compression_type=zstd",
                                        "cluster_size=64k",
                                        "cluster_size=64k,compression_type=zstd",
                                        "cluster_size=64k,compat=0.10",
                                        "cluster_size=64k,extended_l2=on",
                                        "cluster_size=128k,extended_l2=on,compression_type=zstd",
                                        "cluster_size=2M",
                                        "cluster_size=2M,compression_type=zstd"};

Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(std::byte(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// 4096 times 'A', packed by zlib (raw deflate).
const auto deflated = from_hex("edc1010d000000c2a06cef5fca1e0e28000000e0dd00");

std::size_t pieces_read(block::BlockDevice& device, std::size_t step, Bytes& out) {
  std::size_t pieces = 0;
  for (std::uint64_t offset = 0; offset < device.size(); offset += step, ++pieces) {
    auto part = device.read(offset, std::size_t(std::min<std::uint64_t>(step, device.size() - offset)));
    out.insert(out.end(), part.begin(), part.end());
  }
  return pieces;
}

}  // namespace

TEST_CASE("compressed clusters read as QEMU reads them, of every size and packed by zlib and zstd") {
  Random random(11);
  for (const auto& kind : kinds) {
    CAPTURE(kind);
    Folder folder;
    make_compressed(folder, random, kind);
    auto expected = content_by_qemu(folder / "image", folder / "scratch");
    CHECK((content(folder / "image") == expected));
    Bytes in_pieces;
    CHECK(pieces_read(*open_image(folder / "image", ImageFormat::qcow2), 3000, in_pieces) > 1000);
    CHECK((in_pieces == expected));
  }
}

TEST_CASE("an image whose backing file is compressed reads as QEMU reads it") {
  Folder folder;
  Random random(5);
  make_compressed(folder, random, kinds[3]);
  output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", "image", "-F", "qcow2", folder / "upper"});
  qemu_io(folder / "upper", "qcow2", random_program(random, disk_bytes, 6));
  CHECK((content(folder / "upper") == content_by_qemu(folder / "upper", folder / "scratch")));
}

TEST_CASE("a compressed cluster's entry gives its offset to the byte and its length to the end of a sector") {
  constexpr std::uint64_t compressed = 1ull << 62;
  const ClusterGeometry of_64_k{16, false};
  CHECK(L2Entry{compressed | 2ull << 54 | 0x50123}.compressed_place(of_64_k) ==
        CompressedPlace{0x50123, 3 * 512 - 0x123});
  const ClusterGeometry of_512{9, false};
  CHECK(L2Entry{compressed | 1ull << 61 | 0x200}.compressed_place(of_512) == CompressedPlace{0x200, 1024});
}

TEST_CASE("an entry that was made for a compressed cluster covers it, and not a sector more") {
  for (const ClusterGeometry& geometry :
       {ClusterGeometry{9, false}, ClusterGeometry{16, false}, ClusterGeometry{21, true}})
    for (std::uint64_t offset : {0x200ull, 0x3ffull, 0x50123ull})
      for (std::uint64_t length = 1; length < geometry.cluster_bytes(); length = length * 2 + 1) {
        CAPTURE(geometry.cluster_bits, offset, length);
        const auto place = L2Entry::of_compressed(geometry, {offset, length}).compressed_place(geometry);
        CHECK(place.offset == offset);
        CHECK(place.length >= length);
        CHECK(place.length < length + 512);
      }
}

TEST_CASE("what does not inflate to exactly one cluster is refused, and nothing is written beyond it") {
  Inflater zlib(Compression::zlib);
  Bytes cluster(4096), more(4097), less(4095);
  Bytes packed = deflated;
  CHECK(zlib.inflate(packed, cluster));
  CHECK(std::ranges::count(cluster, std::byte{'A'}) == 4096);
  CHECK_FALSE(zlib.inflate(packed, more));
  for (std::size_t length = 0; length + 2 < packed.size(); ++length) {
    CAPTURE(length);
    Bytes again(4096);
    CHECK_FALSE((zlib.inflate(std::span(packed).first(length), again) && again != cluster));
  }
  CHECK_FALSE(Inflater(Compression::zstd).inflate(packed, cluster));
  CHECK_FALSE(Inflater(Compression::zstd).inflate({}, cluster));
}

TEST_CASE("every byte of a compressed image may be wrong: it reads or it is corrupt") {
  for (const auto& kind : {"cluster_size=4k", "cluster_size=4k,compression_type=zstd"}) {
    Folder folder;
    make_raw(folder / "raw", 64 * base::KiB);
    qemu_io(folder / "raw", "raw", {"write -P 7 0 8k", "write -P 9 20k 100"});
    output_of({"qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", kind, folder / "raw", folder / "image"});
    const auto whole = content(folder / "image", ImageFormat::raw);
    Random random(3);
    int damaged = 0;
    for (int i = 0; i < 400; ++i) {
      auto bytes = whole;
      // Behind header and refcounts: the L1 table, an L2 table and the packed data.
      bytes[0x3000 + below(random, bytes.size() - 0x3000)] = std::byte(below(random, 256));
      auto fd = sys::open_file(folder / "bad", O_WRONLY | O_CREAT | O_TRUNC, 0600);
      sys::write_fully(fd.get(), bytes, 0, folder / "bad");
      try {
        content(folder / "bad");
      } catch (const base::Error& error) {
        CHECK(error.kind() == ErrorKind::corrupt);
        ++damaged;
      }
    }
    CHECK(damaged > 0);
  }
}

}  // namespace hrvm::image::test
