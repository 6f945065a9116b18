// XFS filled by mkfs itself, whole and damaged. What the kernel fills is compared by the system tests.
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

void add_prototype(const Path& folder, std::string& text) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.is_symlink()) {
      text += fmt::format("{} l--777 0 0 {}\n", name, std::filesystem::read_symlink(entry).string());
    } else if (entry.is_directory()) {
      text += name + " d--755 0 0\n";
      add_prototype(entry, text);
    } else {
      text += fmt::format("{} ---644 0 0 {}\n", name, entry.path().string());
    }
  }
  text += "$\n";
}

// A filesystem with the tree in it, which is a sparse file.
Path make(const TemporaryDirectory& folder, const std::vector<std::string>& options) {
  write_tree(folder);
  std::string prototype = "none\n0 0\nd--755 0 0\n";
  add_prototype(folder / "tree", prototype);
  const auto image = folder / "image";
  std::ofstream(image).flush();
  std::filesystem::resize_file(image, 320 * base::MiB);
  std::vector<std::string> command = {"mkfs.xfs", "-q", "-p", folder.write("prototype", prototype)};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(image);
  output_of(command);
  return image;
}

// Another device with some bytes that are wrong.
class Damaged : public block::BlockDevice {
 public:
  explicit Damaged(block::BlockDevice& whole) : whole_(whole) {}
  std::map<std::uint64_t, std::byte> wrong;

  using BlockDevice::read;
  std::uint64_t size() const override { return whole_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    whole_.read(offset, out);
    for (auto it = wrong.lower_bound(offset); it != wrong.end() && it->first < offset + out.size(); ++it)
      out[it->first - offset] = it->second;
  }
  const std::string& name() const override { return whole_.name(); }

 private:
  block::BlockDevice& whole_;
};

void walk(FileSystem& files, const std::string& folder, int depth) {
  auto entries = files.list(folder.empty() ? "/" : folder);
  if (entries.size() > 20) entries.resize(20);
  for (const auto& entry : entries) try {
      const auto path = folder + "/" + entry.name;
      const auto info = files.info(path);
      if (!info) continue;
      if (info->kind == FileKind::directory && depth > 0) walk(files, path, depth - 1);
      if (info->kind == FileKind::symlink) files.read_link(path);
      if (info->kind == FileKind::regular) files.read(path, info->size_bytes / 2, 4096);
    } catch (const base::Error&) {
    }
}

// Offsets of the first bytes of what is stored: superblocks, inodes, folders, the tree's blocks.
std::vector<std::uint64_t> stored_sectors(block::BlockDevice& device) {
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t at = 0; at < device.size();) {
    const auto extent = device.extent_at(at);
    const auto end = std::min(extent.length, 256 * base::KiB);
    for (std::uint64_t in = 0; extent.kind == block::ExtentKind::data && in < end; in += 512)
      offsets.push_back(at + in);
    at += extent.length;
  }
  return offsets;
}

}  // namespace

TEST_CASE("XFS made of a tree reads as that tree") {
  for (const auto& options : std::vector<std::vector<std::string>>{
           {}, {"-b", "size=1024"}, {"-m", "crc=0", "-n", "ftype=0"}, {"-m", "crc=0", "-n", "ftype=1"}}) {
    CAPTURE(options);
    const TemporaryDirectory folder;
    const auto device = block::open_device(make(folder, options));
    const auto files = open_xfs(*device);
    CHECK(files->type() == "xfs");
    CHECK_FALSE(files->needs_recovery());
    CHECK(try_read(*files, "/etc/os-release") == "ID=debian\n");
    CHECK(files->read_link("/etc/absolute") == "/usr/lib/os-release");
    CHECK(files->read_link("/etc/long-link") == std::string(40, '.') + "/" + std::string(200, 'x'));
    CHECK((files->read("/boot/vmlinuz", 0, 4'000'000) == long_text(3'000'000)));
    CHECK(files->read("/boot/vmlinuz", 2'999'990, 100).size() == 10);
    CHECK(files->read("/boot/vmlinuz", 4'000'000, 100).empty());
    CHECK(files->read("/etc/empty", 0, 10).empty());
    CHECK(listing(*files, "/usr/lib/many").size() == 300);
    CHECK_FALSE(files->info("/etc/hostname/x"));
    CHECK_FALSE(files->info("/nothing"));
    CHECK(kind_of([&] { files->list("/etc/hostname"); }) == base::ErrorKind::not_found);
    CHECK(kind_of([&] { files->read("/etc", 0, 1); }) == base::ErrorKind::not_found);
    CHECK(kind_of([&] { files->read_link("/etc"); }) == base::ErrorKind::not_found);
  }
}

TEST_CASE("an XFS with any of its bytes wrong is read, or refused by an error") {
  std::mt19937_64 random(5);
  for (const auto& options : std::vector<std::vector<std::string>>{{}, {"-m", "crc=0"}}) {
    const TemporaryDirectory folder;
    const auto whole = block::open_device(make(folder, options));
    const auto sectors = stored_sectors(*whole);
    REQUIRE(sectors.size() > 100);
    unsigned refused = 0;
    for (int round = 0; round < 120; ++round) {
      Damaged device(*whole);
      // The superblock in every fourth round, else anywhere; single bytes, mostly of the fields that lead somewhere.
      for (int i = 0; i < 40; ++i) {
        const auto sector = round % 4 == 0 ? 0 : sectors[random() % sectors.size()];
        device.wrong[sector + random() % 512] = random() % 2 ? std::byte(random()) : std::byte{0xff};
        if (round % 4 == 0 && i == 2) break;
      }
      try {
        walk(*open_xfs(device), "", 4);
      } catch (const base::Error&) {
        ++refused;
      }
    }
    CHECK(refused > 5);
    CHECK(refused < 115);
  }
}

TEST_CASE("what is no XFS, and one that is cut off, is corrupt") {
  const auto none = block::memory_device(std::vector<std::byte>(4096), "none");
  CHECK(kind_of([&] { open_xfs(*none); }) == base::ErrorKind::corrupt);
  const auto tiny = block::memory_device(std::vector<std::byte>(100), "tiny");
  CHECK(kind_of([&] { open_xfs(*tiny); }) == base::ErrorKind::corrupt);
  const TemporaryDirectory folder;
  const auto whole = block::open_device(make(folder, {}));
  const auto cut = block::slice(*whole, 0, 4096, "cut");
  CHECK(kind_of([&] { open_xfs(*cut)->list("/"); }) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::fs::test
