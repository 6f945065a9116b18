#include "hrvm/machine/fingerprint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/volume/volumes.hpp"
#include "machine/drift/base_files.hpp"
#include "machine/drift/marks.hpp"
#include "machine/drift/traces.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t sample_count = samples_of_a_disk, sample_bytes = 4096;
constexpr std::uint64_t gpt_sectors = 34;  // protective MBR, header and 128 entries of 128 bytes
constexpr std::uint64_t boot_area_end = base::MiB;

// A part of a disk with lines of its own: "p3 (ext4)".
struct Area {
  block::BlockDevice* disk;
  std::string name;
  std::string type;
  Region region;
};

std::string area_name(const std::string& path, const std::string& type) {
  return type.empty() ? path : fmt::format("{} ({})", path, type);
}

// A signature that cannot be read says nothing, and is no reason to refuse the disk.
std::string type_of(block::BlockDevice& device) {
  try {
    const auto signature = probe::read_signature(device);
    return signature ? signature->type : "";
  } catch (const base::Error&) {
    return "";
  }
}

Area partition_area(block::BlockDevice& base, const probe::Partition& partition) {
  const auto device = block::slice(base, partition.start_bytes, partition.size_bytes, base.name());
  const auto type = type_of(*device);
  const auto name = area_name(fmt::format("p{}", partition.number), type);
  return {&base, name, type, {partition.start_bytes, partition.size_bytes}};
}

std::vector<Area> areas_of(block::BlockDevice& base, const probe::PartitionTable& table) {
  if (table.kind == probe::TableKind::none) {
    const auto type = type_of(base);
    return {{&base, area_name("disk", type), type, {0, base.size()}}};
  }
  std::vector<Area> areas;
  for (const auto& partition : table.partitions)
    if (partition.size_bytes > 0) areas.push_back(partition_area(base, partition));
  return areas;
}

std::uint64_t first_start(const probe::PartitionTable& table, std::uint64_t size) {
  for (const auto& partition : table.partitions) size = std::min(size, partition.start_bytes);
  return size;
}

// One mark over some regions of the base itself.
Mark region_mark(block::BlockDevice& base, std::string what, const std::vector<Region>& regions) {
  try {
    return {std::move(what), hash_regions(base, regions)};
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::io) throw;
    return {std::move(what), "cannot be read"};
  }
}

// Logical partitions have their table spread over the disk: what was read of it stands for that.
std::string layout_text(const probe::PartitionTable& table) {
  std::string text = fmt::format("{} {}, {} partitions", word(table.kind), table.uuid, table.partitions.size());
  for (const auto& each : table.partitions)
    text += fmt::format("; {} {}+{} {}", each.number, each.start_bytes, each.size_bytes, each.type);
  return text;
}

std::vector<Mark> table_marks(block::BlockDevice& base, const probe::PartitionTable& table) {
  if (table.kind == probe::TableKind::none) return {};
  const bool gpt = table.kind == probe::TableKind::gpt;
  const std::uint64_t sector = table.sector_bytes, start = first_start(table, base.size());
  const std::uint64_t table_end = std::min(start, gpt ? gpt_sectors * sector : sector);
  const std::uint64_t gap_end = std::max(table_end, std::min(start, boot_area_end));
  std::vector<Mark> marks = {region_mark(base, "partition table", {{0, table_end}})};
  marks[0].value += "; " + layout_text(table);
  const std::uint64_t backup = std::min(base.size(), (gpt_sectors - 1) * sector);
  if (gpt) marks.push_back(region_mark(base, "backup partition table", {{base.size() - backup, backup}}));
  marks.push_back(region_mark(base, "boot area", {{table_end, gap_end - table_end}}));
  return marks;
}

std::unique_ptr<block::BlockDevice> open(const Area& area) {
  return block::slice(*area.disk, area.region.offset, area.region.length, area.disk->name());
}

Mark area_mark(const Area& area) {
  const auto device = open(area);
  const Marker marker = marker_for(area.type);
  return {fmt::format("{}: {}", area.name, marker.noun), read_mark(marker, *device)};
}

// What lies in volumes moves without a trace in the partitions that they lie on.
class VolumeMarks {
 public:
  explicit VolumeMarks(const std::vector<Area>& areas) {
    for (const auto& area : areas) {
      devices_.push_back(open(area));
      bearers_.push_back({{devices_.back().get(), area.name}, area.type});
    }
  }

  std::vector<Mark> run() && {
    for (const auto& assembler : volume::assemblers())
      if (const auto members = members_of_type(assembler.member_type); !members.empty())
        for (const auto& volume : assemblies_.emplace_back(assembler.assemble(members)).volumes)
          if (volume.device) add(volume);
    return std::move(marks_);
  }

 private:
  struct Bearer {
    volume::Member member;
    std::string type;
  };

  std::vector<volume::Member> members_of_type(std::string_view type) const {
    std::vector<volume::Member> members;
    for (const auto& bearer : bearers_)
      if (bearer.type == type) members.push_back(bearer.member);
    return members;
  }

  void add(const volume::Volume& volume) {
    const auto type = type_of(*volume.device);
    const Marker marker = marker_for(type);
    marks_.push_back(
        {fmt::format("{}: {}", area_name(volume.path, type), marker.noun), read_mark(marker, *volume.device)});
    bearers_.push_back({{volume.device.get(), volume.path}, type});
  }

  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::deque<volume::Assembly> assemblies_;
  std::vector<Bearer> bearers_;
  std::vector<Mark> marks_;
};

std::string name_of_place(const std::vector<Area>& areas, std::uint64_t offset) {
  for (const auto& area : areas)
    if (offset >= area.region.offset && offset - area.region.offset < area.region.length) return area.name;
  return "unpartitioned space";
}

// Blocks spread evenly, at places that follow from the size alone; those of one area make one mark.
std::vector<Mark> sample_marks(block::BlockDevice& base, const std::vector<Area>& areas) {
  std::vector<std::pair<std::string, std::vector<Region>>> samples;
  for (std::uint64_t i = 0; i < sample_count; ++i) {
    const std::uint64_t step = base.size() / sample_count;
    const std::uint64_t offset = base::round_down(i * step + step / 2, sample_bytes);
    const auto name = name_of_place(areas, offset);
    auto found = std::find_if(samples.begin(), samples.end(), [&](const auto& each) { return each.first == name; });
    if (found == samples.end()) found = samples.insert(samples.end(), {name, {}});
    found->second.push_back({offset, sample_bytes});
  }
  std::vector<Mark> marks;
  for (const auto& [name, regions] : samples) marks.push_back(region_mark(base, name + ": sample", regions));
  return marks;
}

// What can be known of a disk without the others.
struct DiskMarks {
  std::vector<Area> areas;
  std::vector<Mark> structure, samples;
};

// Those of the first have no prefix: most machines have one disk.
void put_before(const std::string& prefix, DiskMarks& marks) {
  for (auto& area : marks.areas) area.name = prefix + area.name;
  for (auto* list : {&marks.structure, &marks.samples})
    for (auto& mark : *list) mark.what = prefix + mark.what;
}

DiskMarks read_disk(block::BlockDevice& disk, const std::string& prefix) {
  const auto table = probe::read_partition_table(disk);
  DiskMarks marks{areas_of(disk, table), {{"size", fmt::format("{} bytes", disk.size())}}, {}};
  for (auto& mark : table_marks(disk, table)) marks.structure.push_back(std::move(mark));
  for (const auto& area : marks.areas) marks.structure.push_back(area_mark(area));
  marks.samples = sample_marks(disk, marks.areas);
  put_before(prefix, marks);
  return marks;
}

}  // namespace

Fingerprint read_fingerprint(const std::vector<block::BlockDevice*>& disks, base::Time now) {
  Fingerprint fingerprint{now, {}};
  const auto add = [&](std::vector<Mark> marks) {
    for (auto& mark : marks) fingerprint.marks.push_back(std::move(mark));
  };
  std::vector<Area> areas;
  std::vector<Mark> samples;
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (!disks[i]) continue;
    auto marks = read_disk(*disks[i], i == 0 ? "" : fmt::format("disk {}, ", i + 1));
    areas.insert(areas.end(), marks.areas.begin(), marks.areas.end());
    samples.insert(samples.end(), marks.samples.begin(), marks.samples.end());
    add(std::move(marks.structure));
  }
  add(VolumeMarks(areas).run());
  add(std::move(samples));
  return fingerprint;
}

namespace {

std::vector<std::unique_ptr<block::BlockDevice>> open_bases(const sys::Host& host,
                                                            const std::vector<probe::Disk>& bases) {
  std::vector<std::unique_ptr<block::BlockDevice>> devices;
  for (const auto& base : bases) devices.push_back(base.path.empty() ? nullptr : open_base(host, base));
  return devices;
}

// The child has its own copies of the descriptors.
sys::ConfinedRun begin_reading(const std::vector<std::unique_ptr<block::BlockDevice>>& devices,
                               const std::vector<probe::Disk>& bases, base::Time now) {
  std::vector<BaseFile> files;
  for (const auto& base : bases)
    for (auto& file : open_base_files(base)) files.push_back(std::move(file));
  return sys::ConfinedRun([&] {
    std::vector<block::BlockDevice*> disks;
    for (const auto& device : devices) disks.push_back(device.get());
    auto fingerprint = read_fingerprint(disks, now);
    for (const auto& file : files) fingerprint.marks.push_back(file_mark(file));
    return base::to_text(to_json(fingerprint), -1);
  });
}

}  // namespace

FingerprintRun::FingerprintRun(const sys::Host& host, const std::vector<probe::Disk>& bases)
    : path_(bases.front().path),
      devices_(open_bases(host, bases)),
      traces_(read_traces(host, bases)),
      run_(begin_reading(devices_, bases, host.now())) {}

Fingerprint FingerprintRun::result() {
  const auto answer = run_.answer();
  if (!answer.text)
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("reading the fingerprint of {} ended early: {}", path_, answer.death))
        .on(path_);
  auto fingerprint = fingerprint_from_json(base::parse_json(*answer.text, path_), path_);
  fingerprint.traces = std::move(traces_);
  return fingerprint;
}

Fingerprint take_fingerprint(const sys::Host& host, const std::vector<probe::Disk>& bases) {
  const auto& first = bases.front();
  if (first.kind == probe::DiskKind::directory) return read_folder_fingerprint(first.path, host.now());
  return FingerprintRun(host, bases).result();
}

}  // namespace hrvm::machine
