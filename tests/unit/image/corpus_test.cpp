// Damaged images, each named for its lesson and for what comes of it: NAME.corrupt.qcow2, NAME.unsupported.qcow2,
// NAME.reads.qcow2. Those the fuzzer found bear no such word: they only must end.
#include "hrvm/base/error.hpp"
#include "unit/image/images.hpp"

namespace hrvm::image::test {
namespace {

std::string outcome(const Path& path) {
  try {
    auto image =
        open_image(path, ImageFormat::qcow2, [](const BackingReference&) { return block::memory_device({}, "empty"); });
    for (std::uint64_t offset = 0; offset < image->size();) {
      auto extent = image->extent_at(offset);
      image->read(offset, std::size_t(std::min<std::uint64_t>(extent.length, 1 << 20)));
      offset += extent.length;
    }
    return "reads";
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return std::string(base::word(error.kind()));
  }
}

}  // namespace

TEST_CASE("every damaged image ends as its name says") {
  auto folder = Path(HRVM_SOURCE_DIR) / "tests/corpus/qcow2_image";
  int told = 0;
  for (const auto& name : sys::list_directory(folder)) {
    CAPTURE(name);
    auto found = outcome(folder / name);
    auto expected = Path(name).stem().extension().string();
    if (expected.empty()) continue;
    CHECK("." + found == expected);
    ++told;
  }
  CHECK(told >= 30);
}

TEST_CASE("an image cut anywhere is read or refused") {
  Folder folder;
  auto whole = content(Path(HRVM_SOURCE_DIR) / "tests/corpus/qcow2_image/plain.reads.qcow2", ImageFormat::raw);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    CAPTURE(length);
    auto fd = sys::open_file(folder / "cut", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    sys::write_fully(fd.get(), std::span(whole).first(length), 0, folder / "cut");
    auto found = outcome(folder / "cut");
    CHECK((found == "reads" || found == "corrupt"));
  }
}

}  // namespace hrvm::image::test
