// Reading a disk's bytes: its table, what lies in each partition, the systems there, and what starts them.
#include <algorithm>

#include <fmt/core.h>

#include "bios_boot.hpp"
#include "efi_loaders.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/detector.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/probe/survey.hpp"
#include "roles.hpp"
#include "systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::size_t most_looked_into = 256;  // partitions of one disk, of which a hostile table can have thousands

// What looking into one partition, or the whole disk, brings to light.
struct Inside {
  std::string name;  // "p3", "disk"
  std::optional<Signature> signature;
  std::optional<System> system;
  std::vector<std::string> boot_kernels;  // of a boot partition
  bool is_boot = false;
  std::vector<EfiLoader> loaders;
};

bool holds_a_boot_folder(fs::FileSystem& files) {
  constexpr std::string_view folders[] = {"grub", "grub2", "loader", "extlinux"};
  return std::ranges::any_of(files.list("/"), [&](const fs::Entry& entry) {
    return entry.name.starts_with("vmlinuz-") ||
           (entry.kind == fs::FileKind::directory && std::ranges::find(folders, entry.name) != std::end(folders));
  });
}

std::optional<System> detect_system(fs::FileSystem& files, const std::string& root) {
  for (const Detector& detector : detectors()) {
    auto system = detector.detect(files);
    if (!system) continue;
    system->root = root;
    system->needs_recovery = files.needs_recovery();
    return system;
  }
  return std::nullopt;
}

class Reading {
 public:
  explicit Reading(block::BlockDevice& disk) : disk_(disk) {}

  Contents run() && {
    table_ = read_partition_table(disk_);
    contents_.table = table_.kind;
    contents_.table_uuid = table_.uuid;
    contents_.logical_sector_bytes = table_.sector_bytes;
    contents_.findings = table_.findings;
    if (table_.kind == TableKind::none)
      read_whole_disk();
    else
      read_partitions();
    settle_kernels();
    settle_hibernation();
    judge_boot();
    return std::move(contents_);
  }

 private:
  void add(std::string id, Severity severity, std::string subject, std::string message, std::string remedy = {}) {
    contents_.findings.push_back({std::move(id), severity, std::move(subject), std::move(message), std::move(remedy)});
  }

  void read_whole_disk() {
    const Inside inside = look_into("disk", disk_, false);
    if (!inside.signature) return;
    const Signature& signature = *inside.signature;
    contents_.volumes.push_back({"disk", "disk", disk_.size(), signature.type, signature.label, signature.uuid});
    take(inside);
  }

  void read_partitions() {
    for (const Partition& partition : table_.partitions) {
      SurveyedPartition surveyed{partition, role_of(partition.type, nullptr), "", "", ""};
      if (contents_.partitions.size() < most_looked_into && surveyed.role != "extended") look_into(surveyed);
      contents_.partitions.push_back(std::move(surveyed));
    }
  }

  void look_into(SurveyedPartition& surveyed) {
    const Partition& partition = surveyed.partition;
    const std::string name = fmt::format("p{}", partition.number);
    const auto part = block::slice(disk_, partition.start_bytes, partition.size_bytes,
                                   fmt::format("{} (partition {})", disk_.name(), partition.number));
    const auto device =
        block::with_sectors(*part, {table_.sector_bytes, std::max(table_.sector_bytes, physical_bytes())});
    const bool is_esp = surveyed.role == "esp";
    Inside inside = look_into(name, *device, is_esp);
    for (EfiLoader& loader : inside.loaders) loader.partition = partition.number;
    if (inside.signature) {
      surveyed.filesystem = inside.signature->type;
      surveyed.label = inside.signature->label;
      surveyed.uuid = inside.signature->uuid;
    }
    surveyed.role = role(surveyed, inside);
    take(inside);
  }

  std::uint32_t physical_bytes() const { return disk_.sector_sizes().physical_bytes; }

  static std::string role(const SurveyedPartition& surveyed, const Inside& inside) {
    const std::string role = role_of(surveyed.partition.type, inside.signature ? &*inside.signature : nullptr);
    if (inside.system) return "root";
    if (!role.empty() && role != "data") return role;
    if (inside.is_boot) return "boot";
    return inside.signature && inside.signature->usage == "filesystem" ? "data" : role;
  }

  // What is broken in one partition is told of it, and costs nothing else.
  Inside look_into(const std::string& name, block::BlockDevice& device, bool is_esp) {
    Inside inside;
    inside.name = name;
    try {
      inside.signature = read_signature(device);
      if (inside.signature) look_at_files(inside, device, is_esp);
    } catch (const base::Error& error) {
      const bool medium = error.kind() == base::ErrorKind::io;
      add(medium ? "unreadable" : "filesystem-damaged", Severity::error, name,
          fmt::format("what lies in it cannot be read: {}", error.message()),
          medium ? "the disk may be dying: copy it (ddrescue) before anything else" : "");
    }
    return inside;
  }

  void look_at_files(Inside& inside, block::BlockDevice& device, bool is_esp) {
    const std::string& type = inside.signature->type;
    const auto files = fs::open_file_system(type, device);
    if (!files) return tell_closed(inside);
    if (is_esp) {
      inside.loaders = find_efi_loaders(*files, 0);
      if (inside.loaders.empty())
        add("esp-without-loader", Severity::note, inside.name,
            "the EFI system partition holds no boot loader for 64-bit x86");
      return;
    }
    inside.system = detect_system(*files, inside.name);
    inside.is_boot = !inside.system && holds_a_boot_folder(*files);
    if (inside.is_boot) inside.boot_kernels = kernels_in(*files, "/");
    if (files->needs_recovery())
      add("filesystem-unclean", Severity::note, inside.name,
          fmt::format(
              "its {} was not unmounted cleanly, or is mounted now; a machine replays the journal in its own layer",
              type));
  }

  void tell_closed(const Inside& inside) {
    const Signature& signature = *inside.signature;
    const Container* container = find_container(signature.type);
    if (container == nullptr && signature.usage != "filesystem") return;
    const std::string name = container ? std::string(container->name) : signature.type;
    add("cannot-look-inside", Severity::note, inside.name,
        fmt::format("{}: looking inside is not possible yet, so a system in it is not named", name));
  }

  void take(const Inside& inside) {
    if (inside.system) contents_.systems.push_back(*inside.system);
    if (inside.signature && inside.signature->type == "swsuspend") hibernated_ = inside.name;
    auto& loaders = contents_.boot.loaders;
    loaders.insert(loaders.end(), inside.loaders.begin(), inside.loaders.end());
    if (inside.is_boot) boot_kernels_.push_back(inside.boot_kernels);
  }

  // A boot partition of its own holds the kernels of the one system that is there.
  void settle_kernels() {
    if (contents_.systems.size() == 1 && boot_kernels_.size() == 1 && !boot_kernels_.front().empty())
      contents_.systems.front().kernels = boot_kernels_.front();
  }

  void settle_hibernation() {
    if (hibernated_.empty()) return;
    for (System& system : contents_.systems) system.hibernated = true;
    add("hibernated", Severity::warning, hibernated_,
        "it holds a hibernated system, which would wake up on other hardware in a machine",
        "boot the disk once and shut it down, or add noresume to the kernel's command line in the machine");
  }

  void judge_boot() {
    const BiosVerdict verdict = judge_bios_boot(disk_, table_);
    contents_.boot.bios = verdict.boots;
    contents_.boot.bios_reason = verdict.reason;
    std::ranges::stable_partition(contents_.boot.loaders, &EfiLoader::removable);
  }

  block::BlockDevice& disk_;
  PartitionTable table_;
  Contents contents_;
  std::string hibernated_;
  std::vector<std::vector<std::string>> boot_kernels_;
};

}  // namespace

bool BootEvidence::removable_loader() const { return std::ranges::any_of(loaders, &EfiLoader::removable); }

Contents read_contents(block::BlockDevice& disk) {
  try {
    return Reading(disk).run();
  } catch (const base::Error& error) {
    Contents contents;
    contents.findings.push_back({"disk-unreadable", Severity::error, disk.name(),
                                 fmt::format("the disk cannot be read: {}", error.message()), error.hint()});
    return contents;
  }
}

}  // namespace hrvm::probe
