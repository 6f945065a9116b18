#include "probe/drivers/initramfs_policy.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_file = 64 << 10, most_files = 64;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : base::split(text, ' '))
    if (word = base::trim(word); !word.empty()) words.emplace_back(word);
  return words;
}

struct Setting {
  std::string value;
  std::string path;  // of the file that says it
};

// What shell-like files set: the last one counts, "+=" adds.
class Settings {
 public:
  void read(fs::FileSystem& root, const std::string& path) {
    const auto text = fs::try_read(root, path, largest_file);
    for (std::string_view line : base::lines(text ? std::string_view(*text) : std::string_view())) take(line, path);
  }

  const Setting* find(const std::string& name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : &found->second;
  }
  std::string value(const std::string& name) const {
    const Setting* setting = find(name);
    return setting ? setting->value : std::string();
  }

 private:
  void take(std::string_view line, const std::string& path) {
    line = base::trim(line.substr(0, line.find('#')));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    const bool adds = line[equals - 1] == '+';
    const std::string name(base::trim(line.substr(0, equals - (adds ? 1 : 0))));
    std::string value(line.substr(equals + 1));
    std::erase_if(value, [](char c) { return c == '"' || c == '\'' || c == '(' || c == ')'; });
    Setting& setting = all_[name];
    setting.value = adds ? setting.value + " " + value : value;
    setting.path = path;
  }

  std::map<std::string, Setting> all_;
};

// Files of several folders, those of the earlier ones hide others of the same name; read in the order of names.
void read_folders(Settings& settings, fs::FileSystem& root, std::initializer_list<std::string> folders,
                  std::string_view suffix) {
  std::map<std::string, std::string> paths;
  for (const std::string& folder : folders) {
    const auto place = fs::resolve(root, folder);
    const auto info = place ? root.info(*place) : std::nullopt;
    if (!info || info->kind != fs::FileKind::directory) continue;
    for (const fs::Entry& entry : root.list(*place))
      if (entry.name.ends_with(suffix) && paths.size() < most_files)
        paths.insert({entry.name, folder + "/" + entry.name});
  }
  for (const auto& [name, path] : paths) settings.read(root, path);
}

void add_modules(InitramfsPolicy& policy, std::string_view names) {
  for (std::string& name : words_of(names)) {
    std::ranges::replace(name, '-', '_');
    if (policy.modules.size() < 256) policy.modules.insert(std::move(name));
  }
}

std::string says(const Setting& setting, std::string_view what) {
  return fmt::format("{} says {}", setting.path, what);
}

std::optional<InitramfsPolicy> initramfs_tools(fs::FileSystem& root) {
  Settings settings;
  settings.read(root, "/etc/initramfs-tools/initramfs.conf");
  read_folders(settings, root, {"/etc/initramfs-tools/conf.d"}, "");
  const Setting* modules = settings.find("MODULES");
  if (modules == nullptr) return std::nullopt;
  InitramfsPolicy policy;
  if (modules->value == "most") policy.scope = InitramfsScope::every_bus;
  if (modules->value == "dep") policy.scope = InitramfsScope::this_hardware;
  policy.because = says(*modules, "MODULES=" + modules->value);
  const std::string more = fs::try_read(root, "/etc/initramfs-tools/modules", largest_file).value_or("");
  for (std::string_view line : base::lines(more))
    if (line = base::trim(line); !line.empty() && !line.starts_with('#'))
      add_modules(policy, line.substr(0, line.find(' ')));
  return policy;
}

std::optional<InitramfsPolicy> dracut(fs::FileSystem& root) {
  Settings settings;
  settings.read(root, "/etc/dracut.conf");
  read_folders(settings, root, {"/etc/dracut.conf.d", "/usr/lib/dracut/dracut.conf.d"}, ".conf");
  InitramfsPolicy policy;
  add_modules(policy, settings.value("add_drivers"));
  add_modules(policy, settings.value("force_drivers"));
  const Setting* hostonly = settings.find("hostonly");
  if (hostonly == nullptr && policy.modules.empty()) return std::nullopt;
  if (hostonly == nullptr) return policy;
  const bool is_only = hostonly->value == "yes" || hostonly->value == "1";
  policy.scope = is_only ? InitramfsScope::this_hardware : InitramfsScope::every_bus;
  policy.because = says(*hostonly, "hostonly=" + hostonly->value);
  return policy;
}

std::optional<InitramfsPolicy> mkinitcpio(fs::FileSystem& root) {
  Settings settings;
  settings.read(root, "/etc/mkinitcpio.conf");
  const Setting* hooks = settings.find("HOOKS");
  if (hooks == nullptr) return std::nullopt;
  InitramfsPolicy policy;
  add_modules(policy, settings.value("MODULES"));
  const auto words = words_of(hooks->value);
  const bool detects = std::ranges::count(words, "autodetect") > 0;
  if (std::ranges::count(words, "block") == 0) return policy;
  policy.scope = detects ? InitramfsScope::this_hardware : InitramfsScope::every_bus;
  policy.because = says(*hooks, detects ? "HOOKS with autodetect" : "HOOKS without autodetect");
  return policy;
}

struct Feature {
  std::string_view name, modules;
};
// /etc/mkinitfs/features.d of Alpine.
constexpr Feature features[] = {
    {"virtio", "virtio_pci virtio_blk virtio_scsi"},
    {"scsi", "sd_mod virtio_scsi"},
    {"ata", "ahci ata_piix sd_mod"},
    {"nvme", "nvme"},
};

std::optional<InitramfsPolicy> mkinitfs(fs::FileSystem& root) {
  Settings settings;
  settings.read(root, "/etc/mkinitfs/mkinitfs.conf");
  const Setting* chosen = settings.find("features");
  if (chosen == nullptr) return std::nullopt;
  InitramfsPolicy policy;
  policy.because = says(*chosen, fmt::format("features=\"{}\"", chosen->value));
  for (const std::string& word : words_of(chosen->value))
    for (const Feature& feature : features)
      if (word == feature.name) add_modules(policy, feature.modules);
  return policy;
}

}  // namespace

InitramfsPolicy read_initramfs_policy(fs::FileSystem& root) {
  for (const auto tool : {initramfs_tools, dracut, mkinitcpio, mkinitfs})
    if (auto policy = tool(root)) return *policy;
  return {};
}

}  // namespace hrvm::probe
