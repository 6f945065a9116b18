// Images to be checked, each named for its lesson and for what comes of it: NAME.sound.qcow2; NAME.leaks.qcow2 and
// NAME.corrupt.qcow2, which a repair makes sound; NAME.lasting.qcow2, corrupt and not to be repaired;
// NAME.refused.qcow2, with a header that cannot be used.
#include "unit/image/damage.hpp"

namespace hrvm::image::test {
namespace {

const Path corpus = Path(HRVM_SOURCE_DIR) / "tests/corpus/qcow2_check";

std::string outcome(const CheckResult& found) {
  if (!found.is_sound()) return "corrupt";
  return found.leaks == 0 ? "sound" : "leaks";
}

// "" where the repair is refused.
std::string after_repair(const Path& image) {
  try {
    return outcome(repair(image, Repair::all).after);
  } catch (const base::Error& error) {
    CHECK_FALSE(error.message().empty());
    return "";
  }
}

void check_one(const Path& original, const std::string& expected, const Folder& folder) {
  const auto image = folder / "image";
  std::filesystem::copy_file(original, image, std::filesystem::copy_options::overwrite_existing);
  if (expected == "refused") {
    CHECK_THROWS_AS(check_quietly(image), base::Error);
    CHECK(after_repair(image).empty());
    return;
  }
  const bool lasts = expected == "lasting";
  const auto found = check_quietly(image);
  CHECK(outcome(found) == (lasts ? "corrupt" : expected));
  CHECK((expected == "sound") == (found.corruptions + found.leaks + found.errors == 0));
  const auto repaired = after_repair(image);
  CHECK((lasts ? repaired.empty() || repaired == "corrupt" : repaired == "sound"));
  if (!lasts) CHECK(check(image) == 0);
}

}  // namespace

TEST_CASE("every image is found and repaired as its name says") {
  Folder folder;
  int told = 0;
  for (const auto& name : sys::list_directory(corpus)) {
    CAPTURE(name);
    check_one(corpus / name, Path(name).stem().extension().string().substr(1), folder);
    ++told;
  }
  CHECK(told >= 60);
}

TEST_CASE("what qemu-img can open it counts alike") {
  // Where the refcount table is lost it counts what it made of other bytes.
  int told = 0;
  for (const auto& name : sys::list_directory(corpus)) {
    CAPTURE(name);
    const auto expected = Path(name).stem().extension().string();
    const bool is_table_lost = name.starts_with("refcount-table-");
    if (is_table_lost || expected == ".refused" || expected == ".lasting" || check(corpus / name) == 1) continue;
    CHECK(ours(corpus / name) == theirs(corpus / name));
    ++told;
  }
  CHECK(told >= 60);
}

TEST_CASE("an image cut anywhere is checked and repaired, or refused") {
  Folder folder;
  const auto whole = content(corpus / "snapshot.sound.qcow2", ImageFormat::raw);
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    CAPTURE(length);
    std::filesystem::copy_file(corpus / "snapshot.sound.qcow2", folder / "cut",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut", length);
    const auto repaired = after_repair(folder / "cut");
    if (repaired == "sound") CHECK(check(folder / "cut") == 0);
  }
}

}  // namespace hrvm::image::test
