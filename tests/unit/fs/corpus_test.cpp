// Damaged filesystems, each named for its lesson and for what comes of walking through all of it: NAME.corrupt,
// NAME.reads (files, with bytes in them), NAME.empty. Those that the fuzzer found bear no such word: they only must
// end.
#include "hrvm/base/byte_size.hpp"
#include "support/packed_sectors.hpp"
#include "unit/fs/trees.hpp"

namespace hrvm::fs::test {
namespace {

using Open = std::unique_ptr<FileSystem> (*)(block::BlockDevice&);

// Returns how many bytes its files have given.
std::size_t walk(FileSystem& files, const std::string& folder, int depth) {
  std::size_t bytes = 0;
  for (const auto& entry : files.list(folder)) {
    auto path = folder + "/" + entry.name;
    auto info = files.info(path);
    if (!info) continue;
    if (info->kind == FileKind::directory && depth > 0) bytes += walk(files, path, depth - 1);
    if (info->kind == FileKind::symlink) files.read_link(path);
    if (info->kind == FileKind::regular) bytes += files.read(path, 0, 1 << 20).size();
  }
  return bytes;
}

// What is asked by node alone.
void walk(FileSystem& files, Node folder, int depth) {
  std::vector<Node> nodes;
  files.visit(folder, [&](const DirectoryEntry& entry) {
    nodes.push_back(entry.node);
    return true;
  });
  for (const Node node : nodes) {
    const auto stat = files.stat(node);
    files.attributes(node);
    if (stat.kind == FileKind::regular) files.extent_at(node, stat.size_bytes / 2, 1 << 20);
    if (stat.kind == FileKind::directory && depth > 0) walk(files, node, depth - 1);
  }
}

using Device = std::unique_ptr<block::BlockDevice>;

Device whole(const Path& image) { return block::open_device(image); }

Device packed(const Path& sectors) {
  const auto bytes = sys::read_file(sectors, base::MiB);
  return block::memory_device(hrvm::test::unpack_sectors(std::as_bytes(std::span(bytes)), 2 * base::MiB), "packed");
}

std::string outcome(const Path& image, Open open, Device (*device_of)(const Path&)) {
  try {
    const auto device = device_of(image);
    const auto files = open(*device);
    const auto bytes = walk(*files, "", 4);
    walk(*files, files->root(), 4);
    return bytes > 0 ? "reads" : "empty";
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return std::string(base::word(error.kind()));
  }
}

void check_corpus(const std::string& name, Open open, Device (*device_of)(const Path&) = whole) {
  auto folder = Path(HRVM_SOURCE_DIR) / "tests/corpus" / name;
  int told = 0;
  for (const auto& file : sys::list_directory(folder)) {
    CAPTURE(file);
    auto found = outcome(folder / file, open, device_of);
    auto expected = Path(file).extension().string();
    if (expected.empty()) continue;
    CHECK("." + found == expected);
    ++told;
  }
  CHECK(told >= 10);
}

}  // namespace

TEST_CASE("every damaged FAT ends as its name says") { check_corpus("fat", open_fat); }

TEST_CASE("every damaged ext filesystem ends as its name says") { check_corpus("ext", open_ext); }

TEST_CASE("every damaged NTFS ends as its name says") { check_corpus("ntfs", open_ntfs, packed); }

}  // namespace hrvm::fs::test
