#include "hrvm/machine/fingerprint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <map>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/volume/volumes.hpp"
#include "machine/base_files.hpp"
#include "machine/marks.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t sample_count = 32, sample_bytes = 4096;
constexpr std::uint64_t gpt_sectors = 34;  // protective MBR, header and 128 entries of 128 bytes
constexpr std::uint64_t boot_area_end = base::MiB;

// A part of the base that is told of on its own: "p3 (ext4)".
struct Area {
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
  return {area_name(fmt::format("p{}", partition.number), type), type, {partition.start_bytes, partition.size_bytes}};
}

std::vector<Area> areas_of(block::BlockDevice& base, const probe::PartitionTable& table) {
  if (table.kind == probe::TableKind::none) {
    const auto type = type_of(base);
    return {{area_name("disk", type), type, {0, base.size()}}};
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

Mark area_mark(block::BlockDevice& base, const Area& area) {
  const auto device = block::slice(base, area.region.offset, area.region.length, base.name());
  const Marker& marker = marker_for(area.type);
  return {fmt::format("{}: {}", area.name, marker.noun), read_mark(marker, *device)};
}

// What lies in volumes moves without a trace in the partitions that they lie on.
class VolumeMarks {
 public:
  VolumeMarks(block::BlockDevice& base, const std::vector<Area>& areas) {
    for (const auto& area : areas) {
      devices_.push_back(block::slice(base, area.region.offset, area.region.length, base.name()));
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
    const auto& marker = marker_for(type);
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

}  // namespace

Fingerprint read_fingerprint(block::BlockDevice& base, base::Time now) {
  const auto table = probe::read_partition_table(base);
  const auto areas = areas_of(base, table);
  Fingerprint fingerprint{now, {{"size", fmt::format("{} bytes", base.size())}}};
  const auto add = [&](std::vector<Mark> marks) {
    for (auto& mark : marks) fingerprint.marks.push_back(std::move(mark));
  };
  add(table_marks(base, table));
  for (const auto& area : areas) fingerprint.marks.push_back(area_mark(base, area));
  add(VolumeMarks(base, areas).run());
  add(sample_marks(base, areas));
  return fingerprint;
}

// The child has its own copies of the descriptors.
static sys::ConfinedRun begin_reading(block::BlockDevice& device, const probe::Disk& base, base::Time now) {
  const auto files = open_base_files(base);
  return sys::ConfinedRun([&] {
    auto fingerprint = read_fingerprint(device, now);
    for (const auto& file : files) fingerprint.marks.push_back(file_mark(file));
    return base::to_text(to_json(fingerprint), -1);
  });
}

FingerprintRun::FingerprintRun(const sys::Host& host, const probe::Disk& base)
    : path_(base.path), device_(open_base(host, base)), run_(begin_reading(*device_, base, host.now())) {}

Fingerprint FingerprintRun::result() {
  const auto answer = run_.answer();
  if (!answer.text)
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("reading the fingerprint of {} ended early: {}", path_, answer.death))
        .on(path_);
  return fingerprint_from_json(base::parse_json(*answer.text, path_), path_);
}

Fingerprint take_fingerprint(const sys::Host& host, const probe::Disk& base) {
  if (base.kind == probe::DiskKind::directory) return read_folder_fingerprint(base.path, host.now());
  return FingerprintRun(host, base).result();
}

}  // namespace hrvm::machine
