#include "hrvm/machine/store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/block/image_lock.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t largest_definition = 16 << 20;
constexpr std::chrono::milliseconds lock_patience{2000};

void check_machine_name(const std::string& name) {
  if (is_machine_name(name)) return;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" is no machine's name", base::printable(name)))
      .hint(
          "a name starts with a letter or digit, goes on with those and . _ -, is in lower case, and at most 63 long");
}

// N of "generations/N.json", which is all that `current` may say.
std::uint64_t generation_of(const Path& link, const Path& current) {
  const auto target = link.string();
  const std::string_view prefix = "generations/", suffix = ".json";
  if (target.starts_with(prefix) && target.ends_with(suffix) && target.size() > prefix.size() + suffix.size()) {
    const auto digits = target.substr(prefix.size(), target.size() - prefix.size() - suffix.size());
    if (const auto number = base::parse_unsigned(digits)) return *number;
  }
  throw Error(ErrorKind::corrupt, fmt::format("{} does not name a generation of the machine", current.string()))
      .on(current)
      .hint("point this link at the newest file in generations/ beside it");
}

Error no_such_machine(const std::string& name, const std::vector<std::string>& names) {
  const auto meant = base::did_you_mean(name, names);
  return Error(ErrorKind::not_found, fmt::format("there is no machine named {}", name))
      .hint(meant ? fmt::format("did you mean {}?", *meant) : "hrvm list shows the machines there are");
}

}  // namespace

void check_file(const Machine& machine, const Path& path) {
  const bool is_layer_folder = path.extension() == ".folder";
  if (sys::status(path).type == (is_layer_folder ? sys::FileType::directory : sys::FileType::regular)) return;
  throw Error(ErrorKind::corrupt, fmt::format("machine {} needs {}, which is missing", machine.name, path.string()))
      .on(path)
      .hint(fmt::format("restore the file, or give it up: hrvm reset {} --discard", machine.name));
}

namespace {

// What a commit that was cut off left under this name was never named by `current`: it may go.
void write_generation(const Path& file, const Definition& definition) {
  sys::remove_all(file);
  const auto fd = sys::create_file(file);
  const auto text = base::to_text(to_json(definition)) + "\n";
  sys::write_fully(fd.get(), std::as_bytes(std::span(text)), 0, file);
  sys::sync_file(fd.get(), file);
}

// All entries at once and last: the first of these waits carries to the disk what the others would wait for.
void make_entries_durable(const Machine& machine) {
  for (const auto part : {"layers", "generations", "nvram", "memory"})
    if (sys::status(machine.folder / part).type == sys::FileType::directory) sys::sync_directory(machine.folder / part);
  if (machine.generation > 1) return;
  sys::sync_directory(machine.folder);
  sys::sync_directory(machine.folder.parent_path());
}

}  // namespace

Path merging_path(const Path& folder) { return folder / "merging"; }

std::vector<std::string> merging_layers(const Path& folder) {
  std::vector<std::string> layers;
  const auto text = sys::try_read_file(merging_path(folder)).value_or("");
  for (const auto line : base::split(text, '\n'))
    if (!line.empty()) layers.emplace_back(line);
  return layers;
}

Path generation_path(const Path& folder, std::uint64_t generation) {
  return folder / "generations" / fmt::format("{}.json", generation);
}

Definition read_generation(const Path& file) {
  return definition_from_json(base::parse_json(sys::read_file(file, largest_definition), file.string()), file.string());
}

// A frozen layer is no longer what a guest writes to, and of those there can be a thousand: a mode is sooner asked for
// than a lock.
std::optional<Path> written_layer(const Path& folder) {
  constexpr unsigned owner_may_write = 0200;
  for (const auto& name : sys::list_directory(folder)) {
    const auto path = folder / name;
    if ((sys::status(path).mode & owner_may_write) && block::image_use(path) == block::ImageUse::write) return path;
  }
  return std::nullopt;
}

std::optional<Path> written_layer(const Machine& machine) {
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
    if (auto path = machine.layer_path(machine.definition.active.layer, disk);
        block::image_use(path) == block::ImageUse::write)
      return path;
  return written_layer(machine.folder / "layers");
}

RunState run_state(const Machine& machine) { return written_layer(machine) ? RunState::running : RunState::stopped; }

std::vector<std::string> Store::folder_names() const {
  auto names = sys::list_directory(folder_);
  std::erase_if(names, [](const auto& name) { return !is_machine_name(name); });
  return names;
}

std::vector<std::string> Store::names() const {
  auto names = folder_names();
  std::erase_if(names, [&](const auto& name) { return !contains(name); });
  return names;
}

bool Store::contains(const std::string& name) const {
  return is_machine_name(name) && sys::link_status(folder_ / name / "current").type == sys::FileType::symlink;
}

Machine Store::load(const std::string& name) const {
  check_machine_name(name);
  Machine machine;
  machine.name = name;
  machine.folder = folder_ / name;
  const auto current = sys::read_link(machine.folder / "current");
  if (!current) throw no_such_machine(name, names());
  machine.generation = generation_of(*current, machine.folder / "current");
  const Path file = generation_path(machine.folder, machine.generation);
  try {
    machine.definition = read_generation(file);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::corrupt && error.hint().empty())
      throw std::move(error).hint(fmt::format("hrvm doctor {} tells whether an older one can be gone back to", name));
    if (error.kind() != ErrorKind::not_found) throw;
    throw Error(ErrorKind::corrupt, fmt::format("the definition of machine {} is missing: {}", name, file.string()))
        .on(file)
        .hint("point the link `current` beside it at a generation that is there, or restore the file");
  }
  return machine;
}

void Store::check_presence(const Machine& machine) const {
  for (const auto& file : machine.definition.files())
    if (!file.starts_with("memory/")) check_file(machine, machine.folder / file);
}

sys::Lock Store::lock(const std::string& name) const {
  check_machine_name(name);
  if (!contains(name)) throw no_such_machine(name, names());
  auto lock = sys::Lock::try_take(folder_ / name, sys::Lock::Mode::exclusive, lock_patience);
  if (!lock)
    throw Error(ErrorKind::busy, fmt::format("machine {} is being changed or started by another hrvm", name))
        .on(folder_ / name)
        .hint("try again when that has finished");
  return *std::move(lock);
}

sys::Lock Store::begin(const std::string& name) const {
  check_machine_name(name);
  collect_unfinished();
  const Path folder = folder_ / name;
  sys::make_directories(folder_);
  sys::make_directories(folder, 0700, sys::Durability::later);
  auto lock = sys::Lock::try_take(folder, sys::Lock::Mode::exclusive);
  if (!lock) throw Error(ErrorKind::busy, fmt::format("a machine named {} is being made or changed", name)).on(folder);
  if (contains(name))
    throw Error(ErrorKind::exists, fmt::format("there is a machine named {} already", name))
        .on(folder)
        .hint(fmt::format("give another name, or remove it: hrvm remove {}", name));
  if (!sys::list_directory(folder).empty())
    throw Error(ErrorKind::exists, fmt::format("{} is there and is no machine", folder.string()))
        .on(folder)
        .hint("give another name");
  try {
    for (const auto part : {"layers", "generations"})
      sys::make_directories(folder / part, 0700, sys::Durability::later);
  } catch (const Error&) {
    sys::remove_all(folder);
    throw;
  }
  return *std::move(lock);
}

Machine Store::commit(const std::string& name, const Definition& definition) const {
  base::trace("machine", "commits {} in {}", name, folder_.string());
  Machine machine{name, folder_ / name, 1, definition};
  const Path current = machine.folder / "current";
  if (const auto link = sys::read_link(current)) machine.generation = generation_of(*link, current) + 1;
  const Path file = generation_path(machine.folder, machine.generation);
  if (machine.definition.folder_inode == 0) machine.definition.folder_inode = sys::status(machine.folder).inode;
  write_generation(file, machine.definition);
  make_entries_durable(machine);
  sys::switch_link(current, file.lexically_relative(machine.folder));
  return machine;
}

void Store::remove(const std::string& name) const {
  const Path hidden = folder_ / (std::string(removed_prefix) + new_id());
  sys::rename_durably(folder_ / name, hidden, true);
  sys::remove_all(hidden);
}

void Store::rename(const std::string& name, const std::string& new_name) const {
  check_machine_name(new_name);
  try {
    sys::rename_durably(folder_ / name, folder_ / new_name, true);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::exists) throw;
    throw Error(ErrorKind::exists, fmt::format("the name {} is taken", new_name)).on(folder_ / new_name);
  }
}

std::string Store::new_id() const {
  std::uint64_t id = 0;
  for (const auto byte : host_.entropy()) id = id << 8 | byte;
  return base::hex(id, 16);
}

Path default_store(const sys::Host& host) {
  if (host.is_root()) return "/var/lib/hrvm";
  const auto data = host.variable("XDG_DATA_HOME").value_or("");
  if (data.starts_with('/')) return Path(data) / "hrvm";
  const auto home = host.variable("HOME").value_or("");
  if (home.starts_with('/')) return Path(home) / ".local/share/hrvm";
  throw Error(ErrorKind::usage, "there is no HOME to keep machines in").hint("name a folder with --store");
}

}  // namespace hrvm::machine
