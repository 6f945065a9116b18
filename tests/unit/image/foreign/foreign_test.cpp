// Other hypervisors' images, with qemu-img as the oracle of what is in them.
#include "hrvm/base/error.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "hrvm/image/map.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

constexpr std::uint64_t disk_bytes = 9 * (1 << 20) + 512 * 13;

struct Kind {
  ImageFormat format;
  std::string options;  // as qemu-img takes them
};

const std::vector<Kind> kinds = {
    {ImageFormat::vdi, ""},
    {ImageFormat::vpc, "subformat=dynamic,force_size=on"},
    {ImageFormat::vpc, "subformat=fixed,force_size=on"},
    {ImageFormat::vhdx, "block_size=1048576"},
    {ImageFormat::vmdk, "subformat=monolithicSparse"},
    {ImageFormat::vmdk, "subformat=streamOptimized"},
};

// Text in the middle, noise at both ends, and holes between them.
Path raw_disk(const Folder& folder) {
  Random random(17);
  Bytes bytes(disk_bytes);
  for (std::size_t i = 0; i < 1 << 20; ++i) bytes[i] = bytes[bytes.size() - 1 - i] = std::byte(random());
  for (std::size_t i = 5 << 20; i < (5 << 20) + 300'000; ++i) bytes[i] = std::byte('a' + i / 4096 % 26);
  const auto path = folder / "raw";
  auto fd = sys::open_file(path, O_WRONLY | O_CREAT, 0600);
  sys::write_fully(fd.get(), bytes, 0, path);
  return path;
}

Path made(const Folder& folder, const Path& raw, const Kind& kind) {
  const auto path = folder / "image";
  std::vector<std::string> argv = {"qemu-img", "convert", "-f", "raw", "-O", std::string(word(kind.format))};
  if (!kind.options.empty()) argv.insert(argv.end(), {"-o", kind.options});
  argv.insert(argv.end(), {raw, path});
  output_of(argv);
  return path;
}

template <typename Act>  // (Kind, Path)
void for_each_kind(const Folder& folder, const Path& raw, Act act) {
  for (const auto& kind : kinds) {
    CAPTURE(word(kind.format), kind.options);
    const auto path = made(folder, raw, kind);
    act(kind, path);
    std::filesystem::remove(path);
  }
}

Bytes file_bytes(const Path& path) { return content(path, ImageFormat::raw); }

std::unique_ptr<block::BlockDevice> open_bytes(Bytes bytes, ImageFormat format) {
  return open_foreign(block::memory_device(std::move(bytes), "image"), format);
}

// "reads", or the word of the error's kind.
std::string outcome(const Bytes& bytes, ImageFormat format) {
  try {
    const auto disk = open_bytes(bytes, format);
    for (std::uint64_t offset = 0; offset < std::min<std::uint64_t>(disk->size(), 64 << 20);) {
      const auto extent = disk->extent_at(offset);
      REQUIRE(extent.offset == offset);
      REQUIRE(extent.length > 0);
      disk->read(offset, std::size_t(std::min<std::uint64_t>({extent.length, disk->size() - offset, 1 << 16})));
      offset += extent.length;
    }
    return "reads";
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return std::string(base::word(error.kind()));
  }
}

template <typename T>
Bytes with(Bytes bytes, std::size_t offset, T value) {
  base::store(std::span(bytes), offset, value);
  return bytes;
}

// Both copies, with their checksums set right.
template <typename Change>
Bytes with_footer(Bytes bytes, Change change) {
  for (const auto at : {std::size_t(0), bytes.size() - sizeof(VhdFooter)}) {
    auto footer = base::load<VhdFooter>(bytes, at);
    if (std::string_view(footer.cookie.data(), footer.cookie.size()) != vhd_cookie) continue;
    change(footer);
    footer.checksum = 0;
    std::uint32_t sum = 0;
    for (const std::byte byte : std::as_bytes(std::span(&footer, 1))) sum += std::uint32_t(byte);
    footer.checksum = ~sum;
    base::store(std::span(bytes), at, footer);
  }
  return bytes;
}

}  // namespace

TEST_CASE("each format shows the disk that qemu-img put into it") {
  const Folder folder;
  const auto raw = raw_disk(folder);
  const auto disk = file_bytes(raw);
  for_each_kind(folder, raw, [&](const Kind& kind, const Path& path) {
    CHECK(detect_format(*block::open_device(path)) == kind.format);
    CHECK(read_info(path).virtual_bytes == disk_bytes);
    const auto image = open_image(path, kind.format);
    REQUIRE(image->size() == disk_bytes);
    CHECK((content(*image) == disk));
    CHECK(image->name() == path.string());
    // In pieces that cross blocks, backwards, so that nothing is taken for the next.
    for (std::uint64_t end = disk_bytes; end > 0;) {
      const auto length = std::min<std::uint64_t>(end, 70'001);
      end -= length;
      const auto piece = image->read(end, std::size_t(length));
      REQUIRE(std::equal(piece.begin(), piece.end(), disk.begin() + std::ptrdiff_t(end)));
    }
    CHECK_THROWS_AS(image->read(disk_bytes - 1, 2), base::Error);
  });
}

TEST_CASE("what no block stores is known as zeros without being read") {
  const Folder folder;
  const auto raw = raw_disk(folder);
  for_each_kind(folder, raw, [&](const Kind& kind, const Path& path) {
    const auto image = open_image(path, kind.format);
    const auto hole = image->extent_at(3 << 20);
    CHECK(hole.kind == block::ExtentKind::zero);
    CHECK(hole.offset + hole.length >= (4 << 20));
    CHECK(image->extent_at(0).kind == block::ExtentKind::data);
    ImageMap map(path);
    CHECK(map.layers().front().format == kind.format);
    std::vector<MapExtent> extents;
    for (std::uint64_t at = 0; at < map.virtual_bytes();) at = map.add_step(extents, at);
    CHECK(extents.front().kind == MapExtent::Kind::data);
    CHECK_FALSE(extents.front().host_offset);
  });
}

TEST_CASE("a qcow2 image lies on another hypervisor's") {
  const Folder folder;
  const auto raw = raw_disk(folder);
  const auto disk = file_bytes(raw);
  for_each_kind(folder, raw, [&](const Kind& kind, const Path& path) {
    output_of({"qemu-img", "create", "-q", "-f", "qcow2", "-b", path, "-F", std::string(word(kind.format)),
               folder / "layer"});
    qemu_io(folder / "layer", "qcow2", {"write -P 5 4096 4096"});
    auto shown = disk;
    std::fill_n(shown.begin() + 4096, 4096, std::byte{5});
    CHECK((content(folder / "layer") == shown));
  });
}

TEST_CASE("what lies on another image, or is of a kind that QEMU does not read, is not read") {
  const Folder folder;
  const auto raw = raw_disk(folder);
  const auto vdi = file_bytes(made(folder, raw, kinds[0]));
  CHECK(outcome(with(vdi, offsetof(VdiHeader, type), base::le32(vdi_differencing)), ImageFormat::vdi) == "unsupported");
  CHECK(outcome(with(vdi, offsetof(VdiHeader, parent_id), base::le32(1)), ImageFormat::vdi) == "unsupported");
  CHECK(outcome(with(vdi, offsetof(VdiHeader, block_bytes), base::le32(4096)), ImageFormat::vdi) == "unsupported");
  CHECK(outcome(with(vdi, offsetof(VdiHeader, disk_bytes), base::le64(1ull << 40)), ImageFormat::vdi) == "corrupt");
  CHECK(outcome(with(vdi, offsetof(VdiHeader, map_offset), base::le32(1u << 30)), ImageFormat::vdi) == "corrupt");
  std::filesystem::remove(folder / "image");

  const auto vhd = file_bytes(made(folder, raw, kinds[1]));
  const auto typed = [](std::uint32_t type) { return [type](VhdFooter& footer) { footer.type = type; }; };
  CHECK(outcome(with_footer(vhd, typed(vhd_dynamic)), ImageFormat::vpc) == "reads");
  CHECK(outcome(with_footer(vhd, typed(vhd_differencing)), ImageFormat::vpc) == "unsupported");
  // VirtualBox's name, and fewer cylinders than the disk has bytes.
  CHECK(outcome(with_footer(vhd,
                            [](VhdFooter& footer) {
                              footer.creator = {'v', 'b', 'o', 'x'};
                              footer.cylinders = 10;
                            }),
                ImageFormat::vpc) == "unsupported");
  CHECK(outcome(with_footer(vhd, [](VhdFooter& footer) { footer.current_bytes = 1ull << 40; }), ImageFormat::vpc) ==
        "corrupt");
  CHECK(outcome(with(vhd, 100, base::le32(1)), ImageFormat::vpc) == "corrupt");
  std::filesystem::remove(folder / "image");

  const auto vmdk = file_bytes(made(folder, raw, kinds[4]));
  CHECK(outcome(with(vmdk, offsetof(VmdkHeader, line_ends), base::le32(0x0a0a0a0a)), ImageFormat::vmdk) == "corrupt");
  CHECK(outcome(with(vmdk, offsetof(VmdkHeader, descriptor_lba), base::le64(0)), ImageFormat::vmdk) == "unsupported");
  CHECK(outcome(with(vmdk, offsetof(VmdkHeader, grain_sectors), base::le64(0)), ImageFormat::vmdk) == "corrupt");
  CHECK(outcome(with(vmdk, offsetof(VmdkHeader, entries_of_a_table), base::le32(0)), ImageFormat::vmdk) == "corrupt");
  CHECK(outcome(with(vmdk, offsetof(VmdkHeader, directory_lba), base::le64(1ull << 60)), ImageFormat::vmdk) ==
        "corrupt");
  std::filesystem::remove(folder / "image");

  const auto vhdx = file_bytes(made(folder, raw, kinds[3]));
  CHECK(outcome(vhdx, ImageFormat::vhdx) == "reads");
  auto one_header = with(vhdx, 64 << 10, base::le32(0));
  CHECK(outcome(one_header, ImageFormat::vhdx) == "reads");
  CHECK(outcome(with(one_header, 128 << 10, base::le32(0)), ImageFormat::vhdx) == "corrupt");
  auto one_table = with(vhdx, 192 << 10, base::le32(0));
  CHECK(outcome(one_table, ImageFormat::vhdx) == "reads");
  CHECK(outcome(with(one_table, 256 << 10, base::le32(0)), ImageFormat::vhdx) == "corrupt");
}

TEST_CASE("an image that is cut or changed anywhere is read or refused") {
  const Folder folder;
  const auto raw = raw_disk(folder);
  Random random(3);
  for_each_kind(folder, raw, [&](const Kind& kind, const Path& path) {
    const auto whole = file_bytes(path);
    for (int round = 0; round < 40; ++round) {
      auto bytes = whole;
      if (round % 4 == 0) bytes.resize(std::size_t(below(random, whole.size())));
      // Headers and tables, which the first pages hold, and in VHDX the first MiBs.
      const auto reach = std::min<std::uint64_t>(bytes.size(), kind.format == ImageFormat::vhdx ? 4 << 20 : 4096);
      for (int i = 0; reach > 0 && i < 1 + round % 7; ++i)
        bytes[std::size_t(below(random, reach))] = std::byte(below(random, 256));
      const auto found = outcome(bytes, kind.format);
      CAPTURE(round);
      CHECK((found == "reads" || found == "corrupt" || found == "unsupported"));
    }
  });
}

}  // namespace hrvm::image::test
