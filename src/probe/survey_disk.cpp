// Surveys of disks, each in a confined child.
#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::probe {
namespace {

// A device under another name: a recorded disk is a file somewhere, and is told by the name that its host gives it.
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

Survey died(const Disk& disk, const std::string& death) {
  Survey survey{disk, {}};
  survey.contents.findings.push_back({"probe-died", base::Severity::error, disk.path,
                                      fmt::format("reading this disk's structures failed: the reader {}", death),
                                      "the disk may be damaged, or made to break what reads it; please report it"});
  return survey;
}

// The table of an image tells the sector size of the disk that it was.
Survey alive(Disk disk, Contents contents) {
  if (disk.kind == DiskKind::image && contents.table != TableKind::none) {
    disk.sectors.logical_bytes = contents.logical_sector_bytes;
    disk.sectors.physical_bytes = std::max(disk.sectors.physical_bytes, contents.logical_sector_bytes);
  }
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

std::string read_to_text(block::BlockDevice& device) { return base::to_text(to_json(read_contents(device)), -1); }

}  // namespace

std::unique_ptr<block::BlockDevice> open_disk(const sys::Host& host, const Disk& disk) {
  if (disk.kind == DiskKind::image && disk.format == "qcow2")
    return image::open_image(disk.path, image::ImageFormat::qcow2);
  if (disk.kind == DiskKind::disk && host.is_recorded())
    return std::make_unique<Named>(block::open_device(host.path(disk.path)), disk.path, disk.sectors);
  return block::open_device(disk.path);
}

std::vector<SurveyAttempt> survey_disks(const sys::Host& host, const std::vector<Disk>& disks) {
  std::vector<SurveyAttempt> attempts(disks.size());
  std::vector<std::unique_ptr<block::BlockDevice>> devices;
  std::vector<sys::ConfinedFunction> functions;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < disks.size(); ++i) try {
      devices.push_back(open_disk(host, disks[i]));
      functions.emplace_back([&device = *devices.back()] { return read_to_text(device); });
      indices.push_back(i);
    } catch (const base::Error& error) {
      attempts[i].error = error;
    }
  const auto answers = sys::run_confined_together(functions);
  for (std::size_t k = 0; k < answers.size(); ++k) attempts[indices[k]] = to_attempt(disks[indices[k]], answers[k]);
  return attempts;
}

SurveyRun::SurveyRun(const sys::Host& host, const Disk& disk)
    : disk_(disk), device_(open_disk(host, disk)), run_([this] { return read_to_text(*device_); }) {}

Survey SurveyRun::result() { return to_survey(disk_, run_.answer()); }

Survey survey_disk(const sys::Host& host, const Disk& disk) { return SurveyRun(host, disk).result(); }

}  // namespace hrvm::probe
