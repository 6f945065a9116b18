#include "probe/roots/deployments.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view deploy_folder = "/ostree/deploy", composefs_folder = "/state/deploy";
constexpr std::size_t most_systems = 16, most_deployments = 64, most_links = 64;

std::vector<std::string> folders_in(fs::FileSystem& files, const std::string& path, std::size_t most) {
  std::vector<std::string> names;
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return names;
  for (const fs::Entry& entry : files.list(*place, 1024))
    if (names.size() < most && is_folder(files, *place + "/" + entry.name)) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

// "9f….0" of "/ostree/deploy/fedora/deploy/9f….0", and "/ostree/deploy/fedora".
std::string name_of(const std::string& folder) { return folder.substr(folder.rfind('/') + 1); }
std::string system_of(const std::string& folder) { return folder.substr(0, folder.rfind("/deploy/")); }

class Reading {
 public:
  Reading(const SystemTree& tree, std::span<const BootMenu> menus) : tree_(tree), files_(tree.files()) {
    for (const std::string& system : folders_in(files_, std::string(deploy_folder), most_systems)) {
      const auto folder = fmt::format("{}/{}/deploy", deploy_folder, system);
      for (const std::string& name : folders_in(files_, folder, most_deployments)) add(folder + "/" + name);
    }
    take_entries(menus);
  }

  std::optional<Deployment> run() && {
    if (states_.empty()) return std::nullopt;
    order();
    Deployment deployment;
    deployment.folder = states_.front().folder;
    deployment.root = {tree_.name, std::make_unique<fs::MountedFiles>(files_, deployment.folder)};
    mount(deployment, "/var", system_of(deployment.folder) + "/var");
    if (!holds_anything(*deployment.root.files, "/etc")) mount(deployment, "/etc", deployment.folder + "/usr/etc");
    deployment.root.files->mount("/sysroot", files_);
    if (holds_anything(files_, "/boot")) mount(deployment, "/boot", "/boot");
    deployment.states = std::move(states_);
    const auto place = std::ranges::find(offered_, deployment.folder) - offered_.begin();
    if (std::size_t(place) < entries_.size()) deployment.entry = entries_[std::size_t(place)];
    return deployment;
  }

 private:
  void add(const std::string& folder) {
    SystemState state;
    state.name = name_of(folder);
    state.root = tree_.name;
    state.folder = folder;
    fs::MountedFiles root(files_, folder);
    if (auto release = read_os_release(root)) {
      for (const char* key : {"OSTREE_VERSION", "IMAGE_VERSION", "VERSION_ID"})
        if (state.version.empty()) state.version = base::printable((*release)[key]);
      state.title = base::printable((*release)["PRETTY_NAME"]);
    }
    state.date = date_of(folder);
    states_.push_back(std::move(state));
  }

  // What the deployment was made at: its folder's own times are set to the epoch by some tools.
  std::int64_t date_of(const std::string& folder) const {
    for (const std::string& path : {folder + ".origin", folder})
      if (const auto info = files_.info(path); info && info->modified > 1) return info->modified;
    return 0;
  }

  // A menu offers them in their order.
  void take_entries(std::span<const BootMenu> menus) {
    for (const BootMenu& menu : menus)
      for (const BootEntry& entry : menu.entries) {
        const auto folder = deployment_of(files_, parse_command_line(entry.command_line).ostree);
        const auto state = std::ranges::find(states_, folder, &SystemState::folder);
        if (folder.empty() || state == states_.end()) continue;
        if (!is_offered(folder)) {
          offered_.push_back(folder);
          entries_.push_back(&entry);
          state->title = entry.title;
        }
        if (entry.is_default && default_.empty()) default_ = folder;
      }
    if (default_.empty() && !offered_.empty()) default_ = offered_.front();
  }

  bool is_offered(const std::string& folder) const { return std::ranges::find(offered_, folder) != offered_.end(); }

  // Those that are linked for a start: /ostree/boot.N leads to /ostree/boot.N.M, which has SYSTEM/CHECKSUM/SERIAL.
  bool is_linked(const std::string& folder) const {
    for (const char* version : {"/ostree/boot.0", "/ostree/boot.1"}) {
      const std::string system = version + system_of(folder).substr(deploy_folder.size());
      for (const std::string& checksum : folders_in(files_, system, most_links))
        for (const std::string& serial : folders_in(files_, system + "/" + checksum, most_links))
          if (fs::resolve(files_, fmt::format("{}/{}/{}", system, checksum, serial)) == folder) return true;
    }
    return false;
  }

  void order() {
    if (default_.empty()) {
      std::ranges::stable_sort(states_, std::greater(), &SystemState::date);
      std::stable_partition(states_.begin(), states_.end(),
                            [&](const SystemState& each) { return is_linked(each.folder); });
      default_ = states_.front().folder;
    }
    const auto rank = [&](const SystemState& each) {
      const bool is_default = each.folder == default_;
      const auto place = std::ranges::find(offered_, each.folder) - offered_.begin();
      return std::tuple(!is_default, place, -each.date);
    };
    std::ranges::stable_sort(states_, {}, rank);
    states_.front().is_default = true;
  }

  void mount(Deployment& deployment, const std::string& point, const std::string& folder) const {
    if (is_folder(files_, folder) && deployment.root.files->mount(point, files_, folder))
      deployment.mounts.push_back({point, tree_.name + ":" + folder});
  }

  const SystemTree& tree_;
  fs::FileSystem& files_;
  std::vector<SystemState> states_;
  std::vector<std::string> offered_;       // by entries, in their order
  std::vector<const BootEntry*> entries_;  // of them
  std::string default_;
};

}  // namespace

std::optional<Deployment> find_deployment(const SystemTree& tree, std::span<const BootMenu> menus) {
  return Reading(tree, menus).run();
}

std::optional<Deployment> find_composefs(const SystemTree& tree, std::span<const BootMenu> menus) {
  Deployment found;
  for (const BootMenu& menu : menus)
    for (const BootEntry& entry : menu.entries) {
      const std::string image = parse_command_line(entry.command_line).composefs;
      const std::string folder = std::string(composefs_folder) + "/" + image;
      const bool is_known = std::ranges::find(found.states, image, &SystemState::name) != found.states.end();
      if (image.empty() || is_known || found.states.size() == most_deployments ||
          image.find('/') != std::string::npos || !is_folder(tree.files(), folder))
        continue;
      const auto info = tree.files().info(folder);
      SystemState state{
          image,     "",    entry.title, info ? std::max<std::int64_t>(info->modified, 0) : 0, entry.is_default,
          tree.name, folder};
      const auto at = entry.is_default ? found.states.begin() : found.states.end();
      if (entry.is_default || found.entry == nullptr) found.entry = &entry;
      found.states.insert(at, std::move(state));
    }
  if (found.states.empty()) return std::nullopt;
  found.states.front().is_default = true;
  found.folder = found.states.front().folder;
  found.root = {tree.name, std::make_unique<fs::MountedFiles>(tree.files(), found.folder)};
  return found;
}

std::string deployment_of(fs::FileSystem& tree, const std::string& link) try {
  const auto folder = link.empty() ? std::nullopt : fs::resolve(tree, link);
  return folder && folder->starts_with(std::string(deploy_folder) + "/") ? *folder : std::string();
} catch (const base::Error&) {
  return {};
}

}  // namespace hrvm::probe
