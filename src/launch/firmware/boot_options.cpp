#include "hrvm/launch/boot_options.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <tuple>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "launch/firmware/device_path.hpp"

namespace hrvm::launch {

namespace {

using base::le16;
using base::le32;
using Numbers = std::vector<std::uint16_t>;

// EFI_LOAD_OPTION; the description in UTF-16 with its NUL follows, then the device path.
struct LoadOption {
  le32 attributes;
  le16 path_bytes;
};
static_assert(sizeof(LoadOption) == 6);

constexpr std::uint32_t option_active = 1;
constexpr std::size_t most_entries = 8;
constexpr std::uint32_t usual_attributes = variable_non_volatile | variable_at_boot | variable_at_runtime;

// Whose installer calls its entry something else than its folder.
struct KnownFolder {
  std::string_view folder, description, system;  // in lower case; system: System::id, where it is not the folder's name
};
constexpr std::array known_folders{
    KnownFolder{"microsoft", "Windows Boot Manager", "windows"},
    KnownFolder{"systemd", "Linux Boot Manager", ""},
    KnownFolder{"redhat", "Red Hat Enterprise Linux", "rhel"},
    KnownFolder{"refind", "rEFInd Boot Manager", ""},
};

const KnownFolder* known_folder(std::string_view folder) {
  const auto found = std::ranges::find(known_folders, base::lower(folder), &KnownFolder::folder);
  return found == known_folders.end() ? nullptr : &*found;
}

// "/EFI/debian/shimx64.efi" → "debian"
std::string folder_of(const std::string& path) {
  const auto parts = base::split(path, '/');
  return parts.size() > 3 ? std::string(parts[2]) : std::string();
}

// Where every file is a system of its own.
constexpr std::string_view unified_images = "/efi/linux/";

std::string description_of(const std::string& path) {
  const auto file = path.substr(path.rfind('/') + 1);
  if (base::lower(path).starts_with(unified_images)) return file;
  const auto folder = folder_of(path);
  if (const auto* known = known_folder(folder)) return std::string(known->description);
  return folder.empty() ? file : folder;
}

enum class Rank { own_system, boot_manager, other };

Rank rank_of(const std::string& path, const probe::System* own) {
  const auto folder = folder_of(path);
  const auto* known = known_folder(folder);
  const auto system = known ? std::string(known->system) : base::lower(folder);
  if (own && !system.empty() && system == own->id) return Rank::own_system;
  return known && known->system.empty() ? Rank::boot_manager : Rank::other;
}

const probe::Partition* partition_of(const probe::Contents& contents, unsigned number) {
  for (const auto& each : contents.partitions)
    if (each.partition.number == number) return &each.partition;
  return nullptr;
}

std::optional<std::string> data_of(const VariableStore& variables, const std::string& name) {
  const auto* variable = variables.find(global_variable(), name);
  if (!variable) return std::nullopt;
  std::string text(variable->data.size(), '\0');
  std::ranges::transform(variable->data, text.begin(), [](std::byte byte) { return char(byte); });
  return text;
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string load_option(const BootEntry& entry) {
  const auto path = device_path(entry);
  std::string bytes(sizeof(LoadOption), '\0');
  base::store(std::as_writable_bytes(std::span(bytes)), 0, LoadOption{option_active, std::uint16_t(path.size())});
  return bytes + base::to_utf16le(entry.description) + std::string(2, '\0') + path;
}

std::string boot_name(std::uint16_t number) { return fmt::format("Boot{:04X}", number); }

// "Boot00AB" → 0xab; firmware writes four digits in upper case.
std::optional<std::uint16_t> boot_number(std::string_view name) {
  if (name.size() != 8 || !name.starts_with("Boot")) return std::nullopt;
  const auto number = base::parse_unsigned(name.substr(4), 16);
  if (!number || boot_name(std::uint16_t(*number)) != name) return std::nullopt;
  return std::uint16_t(*number);
}

Numbers boot_order(const VariableStore& variables) {
  const auto data = data_of(variables, "BootOrder").value_or("");
  const auto units = std::as_bytes(std::span(data));
  Numbers order;
  for (std::size_t at = 0; at + 2 <= units.size(); at += 2) order.push_back(base::load<le16>(units, at));
  return order;
}

void set_boot_order(VariableStore& variables, const Numbers& order) {
  std::string data(order.size() * 2, '\0');
  for (std::size_t i = 0; i < order.size(); ++i)
    base::store(std::as_writable_bytes(std::span(data)), i * 2, le16(order[i]));
  variables.set({global_variable(), "BootOrder", usual_attributes, bytes_of(data)});
}

std::uint16_t free_number(const VariableStore& variables) {
  std::uint16_t number = 0;
  while (variables.find(global_variable(), boot_name(number))) ++number;
  return number;
}

// The length of the UTF-16 text that `data` begins with, without its NUL; npos where none ends it.
std::size_t utf16_length(std::string_view data) {
  for (std::size_t at = 0; at + 2 <= data.size(); at += 2)
    if (data[at] == '\0' && data[at + 1] == '\0') return at;
  return data.npos;
}

std::optional<BootOption> option_of(const VariableStore& variables, std::uint16_t number) {
  const auto data = data_of(variables, boot_name(number));
  if (!data || data->size() < sizeof(LoadOption)) return std::nullopt;
  const auto option = base::load<LoadOption>(std::as_bytes(std::span(*data)));
  const auto rest = std::string_view(*data).substr(sizeof option);
  const auto description = utf16_length(rest);
  if (description == rest.npos || option.path_bytes > rest.size() - description - 2) return std::nullopt;
  return BootOption{
      .name = boot_name(number),
      .description = base::from_utf16le(rest),
      .path = device_path_text(std::as_bytes(std::span(rest)).subspan(description + 2, option.path_bytes)),
      .active = (option.attributes & option_active) != 0,
      .place = {}};
}

}  // namespace

std::vector<BootEntry> boot_entries(const probe::Contents& contents) {
  std::vector<probe::EfiLoader> loaders;
  for (const auto& loader : contents.boot.loaders)
    if (!loader.removable) loaders.push_back(loader);
  const auto* own = contents.own_system();
  std::stable_sort(loaders.begin(), loaders.end(), [&](const probe::EfiLoader& a, const probe::EfiLoader& b) {
    return rank_of(a.path, own) < rank_of(b.path, own);
  });
  std::vector<BootEntry> entries;
  for (const auto& loader : loaders) {
    const auto* partition = partition_of(contents, loader.partition);
    if (!partition || entries.size() == most_entries) continue;
    entries.push_back({description_of(loader.path), contents.table, partition->number,
                       partition->start_bytes / contents.logical_sector_bytes,
                       partition->size_bytes / contents.logical_sector_bytes, partition->partuuid, loader.path});
  }
  return entries;
}

void add_boot_entries(VariableStore& variables, const std::vector<BootEntry>& entries) {
  if (entries.empty()) return;
  auto changed = variables;
  Numbers order;
  for (const auto& entry : entries) {
    order.push_back(free_number(changed));
    changed.set({global_variable(), boot_name(order.back()), usual_attributes, bytes_of(load_option(entry))});
  }
  const auto before = boot_order(changed);
  order.insert(order.end(), before.begin(), before.end());
  set_boot_order(changed, order);
  variables = std::move(changed);
}

std::vector<BootOption> boot_options(const VariableStore& variables) {
  std::vector<BootOption> options;
  std::set<std::uint16_t> told;
  const auto tell = [&](std::uint16_t number, std::optional<std::size_t> place) {
    if (!told.insert(number).second) return;
    auto option = option_of(variables, number);
    if (!option) return;
    option->place = place;
    options.push_back(std::move(*option));
  };
  const auto order = boot_order(variables);
  for (std::size_t i = 0; i < order.size(); ++i) tell(order[i], i);
  std::set<std::uint16_t> others;
  for (const auto& variable : variables.variables())
    if (const auto number = boot_number(variable.name); number && variable.vendor == global_variable())
      others.insert(*number);
  for (const auto number : others) tell(number, std::nullopt);
  return options;
}

bool has_secure_boot_keys(const VariableStore& variables) { return variables.find(global_variable(), "PK") != nullptr; }

}  // namespace hrvm::launch
