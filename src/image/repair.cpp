#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/check.hpp"
#include "repair_file.hpp"
#include "repair_refcounts.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

// An image as it is after each step: tables move, and the file grows.
struct Opened {
  std::unique_ptr<block::BlockDevice> file;
  ImageHeader header;

  explicit Opened(const ImageOpener& open) : file(open()), header(read_header(*file)) {}
  Examination examine() const { return run_passes(*file, header); }
};

void refuse_blind(const std::string& name, const Examination& found) {
  if (!found.has_lost_sight) return;
  throw Error(ErrorKind::io, fmt::format("{} is not repaired: not all of its tables can be read, and what they lead to "
                                         "would be taken for free",
                                         name))
      .on(name)
      .hint("copy it into a new image: hrvm export, or qemu-img convert");
}

void fix_entries(const ImageOpener& open, WritableFile& out) {
  const Opened image(open);
  run_passes(*image.file, image.header, {.out = &out, .fix_entries = true, .with_refcount_structure = false});
  out.sync();
}

void fix_refcounts(const ImageOpener& open, WritableFile& out, Repair repair) {
  const Opened image(open);
  const bool needs_rebuild = image.examine().needs_rebuild;
  if (repair == Repair::leaks) {
    // A block that something else lies in as well is not written to.
    if (!needs_rebuild) correct_refcounts(*image.file, image.header, out, true);
    return;
  }
  if (needs_rebuild || !correct_refcounts(*image.file, image.header, out, false))
    rebuild_refcounts(*image.file, image.header, out);
}

// Only once all counts are right: the flags say what they say.
void fix_flags(const ImageOpener& open, WritableFile& out) {
  const Opened image(open);
  const auto found = image.examine();
  if (found.corruptions_but_flags != 0 || found.result.corruptions == 0) return;
  run_passes(*image.file, image.header, {.out = &out, .fix_copied = true});
  out.sync();
}

void clear_marks(const Opened& image, WritableFile& out) {
  constexpr std::uint64_t marks = qcow2::dirty | qcow2::corrupt;
  if (!(image.header.incompatible_features & marks)) return;
  const base::be64 features = image.header.incompatible_features & ~marks;
  out.write(offsetof(qcow2::Header, incompatible_features), std::as_bytes(std::span(&features, 1)));
  out.sync();
}

}  // namespace

RepairResult repair_file(const ImageOpener& open, WritableFile& out, Repair repair) {
  RepairResult result;
  {
    const Opened image(open);
    auto found = image.examine();
    refuse_blind(image.file->name(), found);
    result.before = std::move(found.result);
  }
  if (repair == Repair::all && result.before.corruptions != 0) fix_entries(open, out);
  if (result.before.corruptions + result.before.leaks != 0) {
    fix_refcounts(open, out, repair);
    fix_flags(open, out);
  }
  result.after = Opened(open).examine().result;
  if (!result.after.is_sound()) return result;
  clear_marks(Opened(open), out);
  result.after = Opened(open).examine().result;
  return result;
}

RepairResult repair_image(const std::filesystem::path& file, Repair repair) {
  const auto fd = sys::open_for_update(file);
  block::lock_image_exclusively(fd.get(), file);
  DescriptorFile out(fd.get(), file.string());
  return repair_file([&] { return block::open_device(file); }, out, repair);
}

}  // namespace hrvm::image
