// Snapshots of a root in btrfs: snapper's, with what it notes of each, and others (Timeshift, a user's own).
#include <algorithm>
#include <functional>

#include "hrvm/base/text.hpp"
#include "hrvm/base/time.hpp"
#include "probe/roots/state_keepers.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_note = 64 << 10;
constexpr std::string_view keeper = ".snapshots/", snapshot = "/snapshot";

// "@/.snapshots/23/snapshot"
bool is_of_snapper(const std::string& path) {
  const auto at = path.find(keeper);
  return at != std::string::npos && (at == 0 || path[at - 1] == '/') && path.ends_with(snapshot);
}

// The text of an element that has none within.
std::string element(std::string_view xml, std::string_view name) {
  const std::string opens = "<" + std::string(name) + ">", closes = "</" + std::string(name) + ">";
  const auto from = xml.find(opens);
  if (from == std::string_view::npos) return {};
  const auto to = xml.find(closes, from);
  if (to == std::string_view::npos) return {};
  return base::printable(base::trim(xml.substr(from + opens.size(), to - from - opens.size())));
}

// snapper writes "2024-05-21 08:00:01", in UTC.
std::int64_t date_of(std::string text) {
  if (text.size() != 19) return 0;
  text[10] = 'T';
  const auto time = base::parse_time(text + "Z");
  return time ? time->time_since_epoch().count() : 0;
}

void take_note(fs::FileSystem& top, const std::string& path, SystemState& state) {
  const auto folder = path.substr(0, path.size() - snapshot.size());
  const auto note = fs::try_read(top, "/" + folder + "/info.xml", largest_note);
  if (!note) return;
  state.date = date_of(element(*note, "date"));
  state.title = element(*note, "description");
}

class Keeping {
 public:
  Keeping(const StateSearch& search, const System& system, const SystemTree& tree)
      : search_(search), system_(system), tree_(tree), all_(tree.place->files->subvolumes()) {}

  // The default first.
  std::vector<SystemState> run() {
    own_ = find(system_.root);
    if (own_ == nullptr) return {};
    std::vector<SystemState> states;
    for (const fs::Subvolume& each : all_)
      if (states.size() < most_states && (&each == own_ || is_kin(each)))
        if (auto state = read(each)) states.push_back(std::move(*state));
    std::stable_partition(states.begin(), states.end(), std::mem_fn(&SystemState::is_default));
    return states.size() > 1 ? states : std::vector<SystemState>{};
  }

 private:
  std::string name_of(const fs::Subvolume& each) const {
    return each.path.empty() ? tree_.place->name : base::printable(tree_.place->name + ":" + each.path);
  }
  const fs::Subvolume* find(const std::string& name) const {
    const auto found = std::ranges::find_if(all_, [&](const fs::Subvolume& each) { return name_of(each) == name; });
    return found == all_.end() ? nullptr : &*found;
  }

  // A snapshot, or, where this is one after a rollback, what it may have been made of.
  bool is_kin(const fs::Subvolume& each) const {
    if (each.path.empty()) return false;
    if (is_of_snapper(each.path) && is_of_snapper(own_->path)) return true;
    return each.is_snapshot || (own_->is_snapshot && is_told(each));
  }
  bool is_told(const fs::Subvolume& each) const {
    return std::ranges::find(search_.contents.systems, name_of(each), &System::root) != search_.contents.systems.end();
  }

  // nullopt for what is no root of this system: a snapshot of /home.
  std::optional<SystemState> read(const fs::Subvolume& each) const {
    const auto view = tree_.place->files->open_subvolume(each.id);
    const auto release = read_os_release(*view);
    const bool is_own = &each == own_;
    if (!is_own && (!release || base::lower(id_of(*release)) != release_id())) return std::nullopt;
    SystemState state;
    state.name = base::printable(each.path.empty() ? "/" : each.path);
    if (release && release->contains("VERSION_ID")) state.version = base::printable(release->at("VERSION_ID"));
    state.root = name_of(each);
    state.is_default = is_own;
    if (is_of_snapper(each.path)) take_note(*tree_.place->files, each.path, state);
    return state;
  }
  static std::string id_of(const OsRelease& release) {
    const auto found = release.find("ID");
    return found == release.end() ? "linux" : found->second;
  }
  // Of the system itself, which may be told as a product on it.
  std::string release_id() const {
    const auto release = read_os_release(tree_.files());
    return release ? base::lower(id_of(*release)) : system_.id;
  }

  const StateSearch& search_;
  const System& system_;
  const SystemTree& tree_;
  std::vector<fs::Subvolume> all_;
  const fs::Subvolume* own_ = nullptr;
};

// What a default entry names goes before the default subvolume.
void put_default_first(const StateSearch& search) {
  const auto line = search.default_line();
  if (!line || line->subvolume.empty()) return;
  auto& systems = search.contents.systems;
  std::stable_partition(systems.begin(), systems.end(), [&](const System& system) {
    return !system.inside && system.root.ends_with(":" + line->subvolume);
  });
}

}  // namespace

void add_snapshots(const StateSearch& search) {
  put_default_first(search);
  auto& systems = search.contents.systems;
  for (std::size_t i = 0; i < systems.size(); ++i) {
    const SystemTree* tree = search.tree_of(systems[i].root);
    if (systems[i].inside || tree == nullptr || !systems[i].states.empty()) continue;
    auto states = Keeping(search, systems[i], *tree).run();
    if (states.empty()) continue;
    const auto is_state = [&](const System& other) {
      const auto same = std::ranges::find(states, other.root, &SystemState::root);
      return !other.inside && same != states.end() && !same->is_default;
    };
    const auto is_noted = [](const SystemState& state) { return is_of_snapper(state.name); };
    systems[i].kind = std::ranges::any_of(states, is_noted) ? "snapper" : "snapshots";
    systems[i].states = states;
    std::erase_if(systems, is_state);
  }
}

}  // namespace hrvm::probe
