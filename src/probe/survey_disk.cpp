// Surveys of disks and folders, each in a confined child.
#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/confined.hpp"
#include "probe/disk/disk_sets.hpp"
#include "probe/judge_image.hpp"

namespace hrvm::probe {
namespace {

// A device under another name: a recorded disk is a file somewhere, and is called by the name that its host gives it.
class Named : public block::BlockDevice {
 public:
  Named(std::unique_ptr<block::BlockDevice> device, std::string name, block::SectorSizes sectors)
      : device_(std::move(device)), name_(std::move(name)), sectors_(sectors) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return device_->size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override { device_->read(offset, out); }
  block::Extent extent_at(std::uint64_t offset) override { return device_->extent_at(offset); }
  block::SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }
  std::optional<RawLocation> raw_location() const override { return device_->raw_location(); }

 private:
  std::unique_ptr<block::BlockDevice> device_;
  std::string name_;
  block::SectorSizes sectors_;
};

std::string_view what_of(const Disk& disk) {
  return disk.kind == DiskKind::directory ? "what lies in it" : "this disk's structures";
}

Survey died(const Disk& disk, const std::string& death) {
  Survey survey{disk, {}};
  survey.contents.findings.push_back({"probe-died", base::Severity::error, disk.path,
                                      fmt::format("reading {} failed: the reader {}", what_of(disk), death),
                                      "it may be damaged, or made to break what reads it; please report it"});
  return survey;
}

// Firmware and kernels of a machine find the table in the sectors alone that it was written in. That of an image gives
// them away; a device that counts otherwise lies behind a bridge that the table was not written through.
void take_sectors_of_table(Disk& disk, Contents& contents) {
  const auto device = disk.sectors.logical_bytes;
  if (contents.table == TableKind::none || disk.kind == DiskKind::directory) return;
  disk.sectors.logical_bytes = contents.logical_sector_bytes;
  disk.sectors.physical_bytes = std::max(disk.sectors.physical_bytes, contents.logical_sector_bytes);
  if (disk.kind == DiskKind::disk && device != contents.logical_sector_bytes)
    contents.findings.push_back(
        {"sector-size-differs", base::Severity::note, disk.path,
         fmt::format("its partition table counts in sectors of {} bytes, and the device, or the bridge that it hangs "
                     "on, in those of {}: a machine counts as the table does",
                     contents.logical_sector_bytes, device),
         "nothing for a machine; firmware and kernels of this computer see no partitions on it as it is attached"});
}

Survey alive(Disk disk, Contents contents) {
  take_sectors_of_table(disk, contents);
  judge_image(disk, contents);
  return {std::move(disk), std::move(contents)};
}

Survey to_survey(const Disk& disk, const sys::ConfinedAnswer& answer) {
  if (!answer.text) return died(disk, answer.death);
  try {
    return alive(disk, contents_from_json(base::parse_json(*answer.text, "the answer")));
  } catch (const base::Error&) {
    return died(disk, "gave an answer that makes no sense");
  }
}

SurveyAttempt to_attempt(const Disk& disk, const sys::ConfinedAnswer& answer) {
  if (answer.error) return {std::nullopt, answer.error};
  return {to_survey(disk, answer), std::nullopt};
}

// What another format's bytes would look like as those of a disk means nothing.
std::string read_to_text(const Disk& disk, block::BlockDevice& device, Thoroughness thoroughness,
                         const std::vector<block::BlockDevice*>& companions = {}) {
  const auto contents = disk.container ? Contents{} : read_contents(device, companions, thoroughness);
  return base::to_text(to_json(contents), -1);
}

}  // namespace

std::unique_ptr<block::BlockDevice> open_disk(const sys::Host& host, const Disk& disk) {
  if (disk.kind == DiskKind::image) return image::open_image(disk.path, image_format(disk.format));
  if (disk.kind == DiskKind::disk && host.is_recorded())
    return std::make_unique<Named>(block::open_device(host.path(disk.path)), disk.path, disk.sectors);
  return block::open_device(disk.path);
}

namespace {

// Several disks, open while they are surveyed.
class Surveying {
 public:
  Surveying(const sys::Host& host, const std::vector<Disk>& disks, Thoroughness thoroughness, Belonging belonging)
      : disks_(disks), thoroughness_(thoroughness), belonging_(belonging), attempts_(disks.size()) {
    for (const Disk& disk : disks) try {
        devices_.push_back(open_disk(host, disk));
      } catch (const base::Error& error) {
        attempts_[devices_.size()].error = error;
        devices_.push_back(nullptr);
      }
  }

  std::vector<SurveyAttempt> run() && {
    std::vector<Part> parts;
    for (std::size_t i = 0; i < disks_.size(); ++i)
      if (devices_[i]) parts.push_back({i, {}});
    survey(parts);
    const auto shared = find_shared_sets(attempts_);
    survey(together(shared));
    tell_shared_sets(shared, attempts_);
    return std::move(attempts_);
  }

 private:
  // A disk, and those that are read along with it.
  struct Part {
    std::size_t disk;
    std::vector<block::BlockDevice*> companions;
  };

  void survey(const std::vector<Part>& parts) {
    std::vector<sys::ConfinedFunction> functions;
    for (const Part& part : parts)
      functions.emplace_back([this, &part] {
        return read_to_text(disks_[part.disk], *devices_[part.disk], thoroughness_, part.companions);
      });
    const auto answers = sys::run_confined_together(functions);
    for (std::size_t k = 0; k < answers.size(); ++k)
      attempts_[parts[k].disk] = to_attempt(disks_[parts[k].disk], answers[k]);
  }

  std::vector<Part> together(const std::vector<SharedSet>& shared) const {
    std::vector<Part> parts;
    for (const SharedSet& each : shared) {
      Part part{each.disks.front(), {}};
      for (const std::size_t disk : each.disks)
        if (disk != part.disk) part.companions.push_back(devices_[disk].get());
      const auto same = std::ranges::find(parts, part.disk, &Part::disk);
      if (same == parts.end())
        parts.push_back(std::move(part));
      else
        for (block::BlockDevice* companion : part.companions)
          if (std::ranges::find(same->companions, companion) == same->companions.end())
            same->companions.push_back(companion);
    }
    if (belonging_ == Belonging::one_machine) add_whole_machine(parts);
    return parts;
  }

  // The one that boots, with all that the machine has beside it.
  void add_whole_machine(std::vector<Part>& parts) const {
    const auto starts = [](const SurveyAttempt& attempt) { return attempt.survey && boots(*attempt.survey); };
    const auto first = std::size_t(std::ranges::find_if(attempts_, starts) - attempts_.begin());
    if (first == attempts_.size() || attempts_.size() < 2) return;
    std::erase_if(parts, [&](const Part& part) { return part.disk == first; });
    Part whole{first, {}};
    for (std::size_t i = 0; i < devices_.size(); ++i)
      if (i != first && devices_[i]) whole.companions.push_back(devices_[i].get());
    parts.push_back(std::move(whole));
  }

  const std::vector<Disk>& disks_;
  Thoroughness thoroughness_;
  Belonging belonging_;
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<SurveyAttempt> attempts_;
};

}  // namespace

std::vector<SurveyAttempt> survey_disks(const sys::Host& host, const std::vector<Disk>& disks,
                                        Thoroughness thoroughness, Belonging belonging) {
  return Surveying(host, disks, thoroughness, belonging).run();
}

SurveyRun::SurveyRun(const sys::Host& host, const Disk& disk, Thoroughness thoroughness)
    : disk_(disk),
      device_(open_disk(host, disk)),
      run_([this, thoroughness] { return read_to_text(disk_, *device_, thoroughness); }) {}

Survey SurveyRun::result() { return to_survey(disk_, run_.answer()); }

Survey survey_disk(const sys::Host& host, const Disk& disk, Thoroughness thoroughness) {
  return SurveyRun(host, disk, thoroughness).result();
}

Survey survey_folder(fs::FileSystem& files, const Disk& folder, Thoroughness thoroughness) {
  const auto read = [&] { return base::to_text(to_json(read_folder(files, folder.path, thoroughness)), -1); };
  sys::Confinement limits;
  limits.folders = {folder.path};
  return to_survey(folder, sys::run_confined(read, limits));
}

}  // namespace hrvm::probe
