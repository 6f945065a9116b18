// Slots of an appliance that is updated as a whole (RAUC, Mender, SWUpdate, systemd-sysupdate, Container Linux): two
// partitions hold the system, one of which starts. They are known by what their keeper calls them, by their names,
// which differ in a letter or number alone, or in a version.
#include <algorithm>
#include <cctype>
#include <functional>

#include "hrvm/base/text.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/roots/state_keepers.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_configuration = 64 << 10;

// "rootfs" of "rootfs-a", "ROOT" of "ROOT_B", "fooOS" of "fooOS_2024.5"; empty for a name that is none of a slot's.
std::string stem_of(const std::string& name) {
  constexpr std::string_view others[] = {"active", "passive", "primary", "secondary", "inactive"};
  const std::string lower = base::lower(name);
  for (const std::string_view other : others)
    if (lower == other || lower.ends_with("-" + std::string(other)) || lower.ends_with("_" + std::string(other)))
      return "slot:" + lower.substr(0, lower.size() - other.size());
  if (const auto under = lower.rfind('_'); under != std::string::npos && under > 0 && under + 1 < lower.size() &&
                                           std::isdigit(static_cast<unsigned char>(lower[under + 1])))
    return "version:" + lower.substr(0, under);
  constexpr std::string_view holders[] = {"root", "system", "usr", "slot", "image", "firmware"};
  const auto stem = lower.substr(0, lower.empty() ? 0 : lower.size() - 1);
  const bool is_slot = std::string_view("ab012").find(lower.empty() ? 'x' : lower.back()) != std::string_view::npos;
  // Two installations may be called "debian1" and "debian2", and "data" ends in a letter as well.
  const bool is_holder =
      std::ranges::any_of(holders, [&](std::string_view holder) { return stem.find(holder) != std::string::npos; });
  return is_slot && is_holder ? "slot:" + stem : std::string();
}

// The devices that a configuration names as slots: RAUC's "device=/dev/…" below "[slot.…]", Mender's "RootfsPartA".
std::vector<std::string> configured_devices(fs::FileSystem& root) {
  std::vector<std::string> devices;
  if (const auto rauc = fs::try_read(root, "/etc/rauc/system.conf", largest_configuration))
    for (std::string_view line : base::lines(*rauc))
      if (line = base::trim(line); line.starts_with("device=")) devices.emplace_back(base::trim(line.substr(7)));
  for (const char* path : {"/etc/mender/mender.conf", "/var/lib/mender/mender.conf", "/data/mender/mender.conf"})
    if (const auto mender = fs::try_read(root, path, largest_configuration))
      for (std::string_view key : {"\"RootfsPartA\"", "\"RootfsPartB\""})
        if (const auto at = mender->find(key); at != std::string::npos) {
          const auto opens = mender->find('"', at + key.size()), closes = mender->find('"', opens + 1);
          if (opens != std::string::npos && closes != std::string::npos)
            devices.push_back(mender->substr(opens + 1, closes - opens - 1));
        }
  if (devices.size() > most_states) devices.resize(most_states);
  return devices;
}

class Slots {
 public:
  explicit Slots(const StateSearch& search) : search_(search) {}

  void run() {
    for (std::size_t i = 0; i < systems().size(); ++i)
      if (is_candidate(systems()[i])) settle(i);
    for (System& system : systems())
      if (is_candidate(system)) add_usr_slots(system);
  }

 private:
  std::vector<System>& systems() const { return search_.contents.systems; }
  static bool is_candidate(const System& system) {
    return !system.inside && system.family == SystemFamily::linux && system.states.empty();
  }

  std::vector<std::string> names_of(const std::string& place) const {
    const SystemTree* tree = search_.tree_of(place);
    const SurveyedPartition* partition = tree ? search_.trees.partition_of(*tree) : nullptr;
    if (partition == nullptr) return {};
    return {partition->partition.name, partition->label};
  }

  // Versions as systemd-sysupdate writes them count for partitions that are for a system by their type.
  bool is_of_image(const std::string& place) const {
    const SystemTree* tree = search_.tree_of(place);
    const SurveyedPartition* partition = tree ? search_.trees.partition_of(*tree) : nullptr;
    const PartitionType* type = partition ? find_partition_type(partition->partition.type) : nullptr;
    return type != nullptr && (type->role == "root" || type->role == "usr");
  }

  bool are_named_alike(const std::string& a, const std::string& b) const {
    for (const std::string& one : names_of(a))
      for (const std::string& other : names_of(b)) {
        const auto stem = stem_of(one);
        if (one == other || stem.empty() || stem != stem_of(other)) continue;
        if (!stem.starts_with("version:") || (is_of_image(a) && is_of_image(b))) return true;
      }
    return false;
  }

  bool are_configured(const System& a, const System& b) const {
    fs::FileSystem* files = search_.files_of(a);
    if (files == nullptr) return false;
    std::vector<std::string> places;
    for (const std::string& device : configured_devices(*files))
      places.push_back(locate_device(parse_device_name(device), search_.contents));
    const auto has = [&](const System& system) { return std::ranges::find(places, system.root) != places.end(); };
    return has(a) && has(b);
  }

  bool are_slots(const System& a, const System& b) const {
    if (a.id != b.id || a.root == b.root) return false;
    return are_named_alike(a.root, b.root) || are_configured(a, b) || are_configured(b, a);
  }

  void settle(std::size_t first) {
    std::vector<System> slots{systems()[first]};
    for (std::size_t i = first + 1; i < systems().size(); ++i)
      if (is_candidate(systems()[i]) && are_slots(slots.front(), systems()[i])) slots.push_back(systems()[i]);
    if (slots.size() < 2) return;
    std::stable_partition(slots.begin(), slots.end(), [&](const System& system) { return starts(system); });
    System chosen = slots.front();
    for (const System& slot : slots) chosen.states.push_back(state_of(slot));
    chosen.states.front().is_default = true;
    chosen.kind = "slots";
    systems()[first] = std::move(chosen);
    std::erase_if(systems(), [&](const System& system) {
      return system.states.empty() && std::ranges::find(slots, system.root, &System::root) != slots.end();
    });
  }

  bool starts(const System& system) const {
    const auto line = search_.default_line();
    if (const auto place = mender_place(); !place.empty()) return system.root == place;
    if (!line) return false;
    if (line->leaves_root_to_type()) return system.root == root_by_type(search_.contents);
    return is_device(system.root, parse_device_name(line->root), search_.contents);
  }

  // Mender's menu is a program; what it chooses by lies beside it.
  std::string mender_place() const {
    constexpr std::string_view key = "mender_boot_part=";
    for (const SystemTree& tree : search_.trees.all())
      for (const char* folder : {"/EFI/BOOT", "/grub-mender-grubenv", "/boot/efi/grub-mender-grubenv", ""}) {
        const auto text =
            fs::try_read(tree.files(), std::string(folder) + "/mender_grubenv1/env", largest_configuration);
        for (std::string_view line : base::lines(text ? std::string_view(*text) : std::string_view()))
          if (line.starts_with(key))
            if (const auto number = base::parse_unsigned(base::trim(line.substr(key.size()))))
              return "p" + std::to_string(*number);
      }
    return {};
  }

  std::string name_of(const std::string& place) const {
    for (const std::string& name : names_of(place))
      if (!stem_of(name).empty()) return base::printable(name);
    return place;
  }

  SystemState state_of(const System& slot) const {
    SystemState state;
    state.name = name_of(slot.root);
    state.root = slot.root;
    state.title = slot.pretty;
    fs::FileSystem* files = search_.files_of(slot);
    state.version = files ? image_version(*files) : slot.version;
    return state;
  }

  // Where /usr alone is kept twice.
  void add_usr_slots(System& system) {
    const auto usr = std::ranges::find(system.mounts, "/usr", &SystemMount::point);
    if (usr == system.mounts.end()) return;
    std::vector<SystemState> states;
    for (const SystemTree& tree : search_.trees.all()) {
      const bool is_own = tree.name == usr->source;
      if (!is_own && (!are_named_alike(tree.name, usr->source) || !fs::exists(tree.files(), "/lib/os-release")))
        continue;
      SystemState state;
      state.name = name_of(tree.name);
      state.root = tree.name;
      state.is_default = is_own;
      fs::MountedFiles root(tree.files());
      if (root.mount("/usr", tree.files())) state.version = image_version(root);
      states.push_back(std::move(state));
    }
    if (states.size() < 2) return;
    std::stable_partition(states.begin(), states.end(), std::mem_fn(&SystemState::is_default));
    system.kind = "slots";
    system.states = std::move(states);
  }

  const StateSearch& search_;
};

}  // namespace

void add_slots(const StateSearch& search) { Slots(search).run(); }

}  // namespace hrvm::probe
