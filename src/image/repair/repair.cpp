#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/check.hpp"
#include "image/repair/file.hpp"
#include "image/repair/refcounts.hpp"
#include "image/repair/snapshots.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

// An image as it is after each step: tables move, and the file grows.
struct Opened {
  std::unique_ptr<block::BlockDevice> file;
  ImageHeader header;
  sys::ProgressCallback progress;

  explicit Opened(const RepairJob& job) : file(job.open()), header(read_header(*file)), progress(job.progress) {}
  Examination examine() const { return run_passes(*file, header, {.progress = progress}); }
};

void refuse_blind(const std::string& name, const Examination& found) {
  if (found.lost_sight_of.empty()) return;
  throw Error(
      found.result.errors != 0 ? ErrorKind::io : ErrorKind::corrupt,
      fmt::format("{} is not repaired, as what is in use there would be taken for free: {}", name, found.lost_sight_of))
      .on(name)
      .hint(way_out(name));
}

void fix_entries(const RepairJob& job) {
  const Opened image(job);
  run_passes(*image.file, image.header,
             {.out = &job.out, .progress = job.progress, .fix_entries = true, .with_refcount_structure = false});
  job.out.sync();
}

void fix_refcounts(const RepairJob& job) {
  const Opened image(job);
  const auto found = image.examine();
  const auto correct = [&](Correction correction) {
    return correct_refcounts(*image.file, image.header, job.out, correction);
  };
  if (job.repair == Repair::leaks) {
    // A block that something else lies in as well is not written to.
    if (!found.needs_rebuild) correct(found.wrong_counts == 0 ? Correction::lower : Correction::lower_but_to_1);
    return;
  }
  // Version 2 has no other width.
  const bool widens = found.most_uses != 0 && image.header.version >= 3;
  const auto order = widens ? order_for(found.most_uses) : image.header.refcount_order;
  if (widens || found.needs_rebuild || !correct(Correction::all))
    rebuild_refcounts(*image.file, image.header, order, job.out);
}

// The new table is counted before the header names it; what it replaces is a leak then.
void fix_snapshots(const RepairJob& job) {
  const Opened image(job);
  const auto found = image.examine();
  if (!found.has_damaged_snapshots || found.wrong_counts != 0) return;
  rewrite_snapshots(*image.file, image.header, job.out);
  fix_refcounts({job.open, job.out, Repair::leaks, job.progress});
}

// Only where the counts are right: the flags say what they say.
void fix_flags(const RepairJob& job) {
  const Opened image(job);
  const auto found = image.examine();
  if (found.wrong_counts != 0 || found.result.corruptions == 0) return;
  run_passes(*image.file, image.header, {.out = &job.out, .progress = job.progress, .fix_copied = true});
  job.out.sync();
}

// Whether there were any.
bool clear_marks(const Opened& image, WritableFile& out) {
  constexpr std::uint64_t marks = qcow2::dirty | qcow2::corrupt;
  if (!(image.header.incompatible_features & marks)) return false;
  const base::be64 features = image.header.incompatible_features & ~marks;
  out.write(offsetof(qcow2::Header, incompatible_features), std::as_bytes(std::span(&features, 1)));
  out.sync();
  return true;
}

}  // namespace

RepairResult repair_file(const RepairJob& job, Examination found) {
  refuse_blind(job.open()->name(), found);
  RepairResult result{found.result, {}};
  if (job.repair == Repair::all && result.before.corruptions != 0) fix_entries(job);
  if (result.before.corruptions + result.before.leaks != 0) {
    fix_refcounts(job);
    if (job.repair == Repair::all && found.has_damaged_snapshots) fix_snapshots(job);
    fix_flags(job);
  }
  result.after = Opened(job).examine().result;
  if (result.after.is_sound() && clear_marks(Opened(job), job.out)) result.after = Opened(job).examine().result;
  return result;
}

// What writes cannot be confined; so it only reads what a confined process has read before it.
RepairResult repair_image(const std::filesystem::path& file, Repair repair, const sys::ProgressCallback& progress) {
  const auto fd = sys::open_for_update(file);
  block::lock_image_exclusively(fd.get(), file);
  DescriptorFile out(fd.get(), file.string());
  const RepairJob job{[&] { return block::open_device(file); }, out, repair, progress};
  return repair_file(job, examine_confined(*job.open(), progress));
}

}  // namespace hrvm::image
