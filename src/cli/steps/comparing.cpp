#include "cli/steps/comparing.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "cli/steps/reading_files.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/differences.hpp"
#include "hrvm/fs/mounted.hpp"
#include "hrvm/probe/open_files.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using probe::OpenDiskFiles;
using probe::OpenVolume;

constexpr std::uint64_t memory_of_reader = 2ull << 30;

// What a part begins with, that comes through the pipe.
enum class Part : char {
  volume = 'V',
  change = 'C',
  blocks = 'B',
  packages = 'P',
  owners = 'O',
  progress = 'N',
};

// ---- in the child ----

void use_disks(const Source& source, const std::function<void(const OpenDiskFiles&)>& use) {
  if (source.disks.front()->size() == 0) return use({});
  std::vector<block::BlockDevice*> others;
  for (std::size_t i = 1; i < source.disks.size(); ++i) others.push_back(source.disks[i].get());
  probe::with_all_files(*source.disks.front(), others, use);
}

const OpenVolume* find_volume(const OpenDiskFiles& disk, const std::string& name) {
  const auto found = std::ranges::find(disk.volumes, name, &OpenVolume::name);
  return found == disk.volumes.end() ? nullptr : &*found;
}

class Comparer {
 public:
  Comparer(const OpenDiskFiles& from, const OpenDiskFiles& to, const ComparisonWishes& wishes,
           const sys::PartWriter& write)
      : from_(from), to_(to), write_(write), keeps_sent_(wishes.packages) {}

  void compare_files() {
    for (const OpenVolume& each : to_.volumes) compare(find_volume(from_, each.name), &each);
    for (const OpenVolume& each : from_.volumes)
      if (!find_volume(to_, each.name)) compare(&each, nullptr);
  }

  void compare_blocks(block::BlockDevice& from, block::BlockDevice& to) {
    send_blocks("", block::differences(from, to, [&](std::uint64_t bytes) { tell(bytes); }));
    for (const OpenVolume& each : to_.volumes)
      if (const auto* old = find_volume(from_, each.name); old && !old->devices.empty() && !each.devices.empty())
        send_blocks(each.name, differences(*old, each));
  }

  void compare_packages() {
    const auto from = packages_of(from_), to = packages_of(to_);
    Json problems = Json::array();
    for (const auto* side : {&from, &to})
      for (const auto& database : *side)
        if (!database.unreadable.empty()) problems.push(database.unreadable);
    Json json;
    json.set("changes", probe::to_json(probe::compare_packages(from, to))).set("unreadable", std::move(problems));
    send(Part::packages, base::to_text(json, -1));
    send_owners();
  }

 private:
  void send(Part part, std::string_view text) { write_(char(part) + std::string(text)); }

  // As often as an eye sees it.
  void tell(std::uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    send(Part::progress, std::to_string(done));
  }

  block::ByteRanges differences(const OpenVolume& from, const OpenVolume& to) {
    return block::differences(*from.devices.front(), *to.devices.front(), [&](std::uint64_t bytes) { tell(bytes); });
  }

  void send_blocks(const std::string& volume, const block::ByteRanges& ranges) {
    Json json;
    json.set("volume", volume).set("changed_bytes", ranges.bytes()).set("extents", std::uint64_t(ranges.all().size()));
    send(Part::blocks, base::to_text(json, -1));
  }

  void send_volume(const OpenVolume& volume, std::string_view state, const std::string& problem = {}) {
    Json json;
    json.set("volume", volume.name).set("type", volume.type).set("state", state).set("problem", problem);
    json.set("note", note_of(find_volume(from_, volume.name), find_volume(to_, volume.name)));
    send(Part::volume, base::to_text(json, -1));
  }

  static std::string note_of(const OpenVolume* from, const OpenVolume* to) {
    if (!from) return "it is new";
    if (!to) return "it is gone";
    if (from->devices.size() != 1 || to->devices.size() != 1) return "";
    const auto before = from->devices.front()->size(), now = to->devices.front()->size();
    return before == now ? ""
                         : fmt::format("it has {} in place of {}", base::format_bytes(now), base::format_bytes(before));
  }

  void compare(const OpenVolume* from, const OpenVolume* to) {
    const auto& named = to ? *to : *from;
    const bool can_be_read = (!from || from->files) && (!to || to->files);
    if (!can_be_read) return compare_unreadable(from, to);
    try {
      fs::MountedFiles nothing;
      fs::FileSystem &a = from ? *from->files : nothing, &b = to ? *to->files : nothing;
      fs::TreeDiffOptions options;
      options.is_same_filesystem = from && to && from->type == to->type && !to->uuid.empty() && from->uuid == to->uuid;
      options.compared_bytes = [&](std::uint64_t bytes) { tell(bytes); };
      const auto changes = fs::compare_trees(a, b, options);
      send_volume(named, word_of(std::max(from ? a.journal() : b.journal(), to ? b.journal() : a.journal())));
      for (const auto& change : changes) {
        send(Part::change, fs::to_text(change));
        if (keeps_sent_) sent_.push_back({named.name, change.path, change.kind == fs::TreeChangeKind::removed});
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      send_volume(named, "unreadable", error.message());
    }
  }

  // It is worth a word only where it differs.
  void compare_unreadable(const OpenVolume* from, const OpenVolume* to) {
    const auto& named = to ? *to : *from;
    if (named.type == "swap") return;
    const bool is_on_both = from && to && !from->devices.empty() && !to->devices.empty();
    if (is_on_both && differences(*from, *to).empty()) return;
    const bool is_readable_once = (from && from->files) || (to && to->files);
    send_volume(named, "unreadable",
                is_readable_once     ? "one side cannot be opened: it is damaged, or cut off"
                : named.type.empty() ? "no filesystem is known in it"
                                     : fmt::format("what it holds ({}) cannot be read", named.type));
  }

  // Of what is gone the earlier system says whose it was.
  void send_owners() {
    const auto old = owners_in(from_, true), now = owners_in(to_, false);
    for (std::size_t i = 0; i < sent_.size(); ++i) send(Part::owners, old[i].empty() ? now[i] : old[i]);
  }

  std::vector<std::string> owners_in(const OpenDiskFiles& disk, bool of_removed) {
    std::vector<std::string> owners(sent_.size()), paths;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; disk.system && i < sent_.size(); ++i) {
      const auto path = sent_[i].is_removed == of_removed ? path_in(*disk.system, sent_[i]) : std::nullopt;
      if (!path) continue;
      paths.push_back(*path);
      places.push_back(i);
    }
    const auto found = paths.empty() ? paths : probe::package_owners(disk.system->files, paths);
    for (std::size_t i = 0; i < found.size(); ++i) owners[places[i]] = found[i];
    return owners;
  }

  struct Sent {
    std::string volume, path;
    bool is_removed = false;
  };

  // Where the system sees it; nullopt where nothing mounts its volume. Of a subvolume the path begins with its own.
  static std::optional<std::string> path_in(const probe::OpenFiles& system, const Sent& file) {
    const auto in = [&](const std::string& source, const std::string& point) -> std::optional<std::string> {
      const auto below = point == "/" ? std::string() : point;
      if (source == file.volume) return below + file.path;
      const auto subvolume = source.starts_with(file.volume + ":") ? "/" + source.substr(file.volume.size() + 1) : "";
      if (subvolume.empty() || !file.path.starts_with(subvolume + "/")) return std::nullopt;
      return below + file.path.substr(subvolume.size());
    };
    if (const auto path = in(system.volume, "/")) return path;
    for (const auto& mount : system.mounts)
      if (const auto path = in(mount.source, mount.point)) return path;
    return std::nullopt;
  }

  static std::vector<probe::PackageDatabase> packages_of(const OpenDiskFiles& disk) {
    return disk.system ? probe::read_packages(disk.system->files) : std::vector<probe::PackageDatabase>();
  }

  const OpenDiskFiles &from_, &to_;
  const sys::PartWriter& write_;
  bool keeps_sent_;
  std::vector<Sent> sent_;  // where their packages are asked for
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

void compare_disks(const Source& from, const Source& to, const ComparisonWishes& wishes, const sys::PartWriter& write) {
  use_disks(from, [&](const OpenDiskFiles& old) {
    use_disks(to, [&](const OpenDiskFiles& now) {
      Comparer comparer(old, now, wishes, write);
      if (wishes.blocks) comparer.compare_blocks(*from.disks.front(), *to.disks.front());
      if (wishes.files) comparer.compare_files();
      if (wishes.packages) comparer.compare_packages();
    });
  });
}

// ---- what it answers ----

std::string text_of(const Json& json, std::string_view member) {
  return base::printable(json[member].text().value_or(""));
}

void take_packages(Compared& compared, std::string_view text) {
  const auto json = base::parse_json(text, "the answer");
  compared.packages = probe::package_changes_from_json(json["changes"]);
  for (const auto& each : json["unreadable"].items())
    compared.unreadable_packages.push_back(base::printable(each.text().value_or("")));
}

void take_part(Compared& compared, Part part, std::string_view text) {
  if (part == Part::packages) return take_packages(compared, text);
  if (part == Part::change) {
    if (compared.volumes.empty() || compared.changes.size() >= compared.volumes.size() * fs::most_tree_changes)
      throw Error(ErrorKind::corrupt, "the reader of the disks gave an answer that makes no sense");
    compared.changes.push_back({compared.volumes.back().name, fs::tree_change_from_text(text)});
    return;
  }
  if (part == Part::owners) {
    if (compared.owners.size() < compared.changes.size()) compared.owners.push_back(base::printable(text));
    return;
  }
  const auto json = base::parse_json(text, "the answer");
  if (part == Part::volume)
    compared.volumes.push_back({text_of(json, "volume"), text_of(json, "type"), text_of(json, "state"),
                                text_of(json, "problem"), text_of(json, "note")});
  if (part == Part::blocks)
    compared.blocks.push_back({text_of(json, "volume"), json["changed_bytes"].unsigned_integer().value_or(0),
                               json["extents"].unsigned_integer().value_or(0)});
}

}  // namespace

Compared compare_sources(const Context& context, const Source& from, const Source& to, const ComparisonWishes& wishes) {
  sys::Confinement limits;
  limits.memory_bytes = memory_of_reader;
  limits.time = std::chrono::hours(24);
  Compared compared;
  sys::Progress progress(context.host, "Comparing", 0, context.quiet);
  const auto take = [&](std::string_view part) {
    if (part.empty()) return;
    const auto text = part.substr(1);
    if (Part(part.front()) == Part::progress) return progress.at(base::parse_unsigned(text).value_or(0));
    take_part(compared, Part(part.front()), text);
  };
  const auto answer = sys::run_confined_stream(
      [&](const sys::PartWriter& write) { compare_disks(from, to, wishes, write); }, take, limits);
  if (answer.text) return compared;
  throw Error(ErrorKind::corrupt, fmt::format("they cannot be compared: their reader {}", answer.death))
      .on(to.disks.front()->name())
      .hint("one may be damaged, or made to break what reads it; please report it");
}

}  // namespace hrvm::cli
