#include "hrvm/machine/folder_layer.hpp"

#include "hrvm/sys/overlay.hpp"

namespace hrvm::machine {
namespace {

using sys::FileType;

// What `upper` on `lower` shows, in the empty folder `target`. An empty `lower` has nothing.
void merge_folders(const Path& lower, const Path& upper, const Path& target);

void merge_folder(const Path& lower, const Path& upper, const Path& target) {
  const auto below = lower.empty() ? sys::FileStatus{} : sys::link_status(lower);
  const bool upper_hides = sys::is_opaque(upper), is_folder_below = below.type == FileType::directory;
  const bool lower_hides = below.type != FileType::missing && (!is_folder_below || sys::is_opaque(lower));
  sys::make_folder_like(target, upper);
  merge_folders(is_folder_below && !upper_hides ? lower : Path(), upper, target);
  if (upper_hides || lower_hides) sys::set_opaque(target);
  sys::set_modified(target, sys::link_status(upper).modified);
}

void merge_entry(const Path& lower, const Path& upper, const Path& target) {
  if (sys::link_status(upper).type == FileType::directory)
    merge_folder(lower, upper, target);
  else
    sys::link_entry(upper, target);
}

void merge_folders(const Path& lower, const Path& upper, const Path& target) {
  for (const auto& name : sys::list_directory(upper))
    merge_entry(lower.empty() ? lower : lower / name, upper / name, target / name);
  if (lower.empty()) return;
  for (const auto& name : sys::list_directory(lower))
    if (sys::link_status(upper / name).type == FileType::missing) merge_entry({}, lower / name, target / name);
}

std::uint64_t allocated_below(const Path& path) {
  const auto status = sys::link_status(path);
  std::uint64_t bytes = status.allocated_bytes;
  if (status.type != FileType::directory) return bytes;
  for (const auto& name : sys::list_directory(path)) bytes += allocated_below(path / name);
  return bytes;
}

}  // namespace

void make_folder_layer(const Path& layer, const Path& below) {
  sys::make_directories(layer, 0700, sys::Durability::later);
  sys::make_directories(work_of(layer), 0700, sys::Durability::later);
  sys::make_folder_like(upper_of(layer), below);
  sys::sync_directory(layer);
}

bool is_empty_folder_layer(const Path& layer) { return sys::list_directory(upper_of(layer)).empty(); }

void merge_folder_layers(const Path& parent, const Path& child, const Path& merged) {
  sys::make_directories(work_of(merged));
  merge_folder(upper_of(parent), upper_of(child), upper_of(merged));
  sys::sync_filesystem(merged);
}

std::vector<Path> folder_stack(const Machine& machine, const State& state) {
  std::vector<Path> stack;
  if (!machine.definition.is_direct())
    for (const auto& id : machine.definition.chain(state)) stack.push_back(upper_of(machine.layer_path(id)));
  stack.push_back(machine.definition.disks.front().path);
  return stack;
}

std::optional<std::uint64_t> allocated_if_there(const Path& layer) {
  const auto status = sys::link_status(layer);
  if (status.type == FileType::missing) return std::nullopt;
  return status.type == FileType::directory ? allocated_below(upper_of(layer)) : status.allocated_bytes;
}

std::uint64_t allocated_bytes(const Path& layer) { return allocated_if_there(layer).value_or(0); }

std::uint64_t allocated_bytes(const Machine& machine, const std::string& layer) {
  std::uint64_t bytes = 0;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
    bytes += allocated_bytes(machine.layer_path(layer, disk));
  return bytes;
}

}  // namespace hrvm::machine
