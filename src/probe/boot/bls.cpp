#include "probe/boot/bls.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "hrvm/base/text.hpp"
#include "probe/boot/grub_variables.hpp"
#include "probe/packages/compare_versions.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_paths = 16, most_others = 32, longest_other = 1024;

// "key  value"
std::pair<std::string_view, std::string_view> key_and_value(std::string_view line) {
  line = base::trim(line);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  return {line.substr(0, end), base::trim(line.substr(end))};
}

void append(std::string& text, std::string_view more) {
  if (text.size() + more.size() > longest_text) return;
  if (!text.empty()) text += ' ';
  text += more;
}

// Paths count from the filesystem's top, with and without a slash before them.
std::string path_of(std::string_view value) {
  const bool is_bare = !value.empty() && value.front() != '/' && value.front() != '(' && value.front() != '$';
  return (is_bare ? "/" : "") + std::string(value);
}

// ---- keys ----

template <BlsProgram program>
void take_program(BlsEntry& bls, std::string_view value) {
  bls.entry.kernel = program == BlsProgram::uki_url ? std::string(value) : path_of(value);
  bls.program = program;
}

void take_initrd(BlsEntry& bls, std::string_view value) {
  for (std::string_view path : base::split(value, ' '))
    if (!path.empty() && bls.entry.initramfs.size() < most_paths) bls.entry.initramfs.push_back(path_of(path));
}

void take_profile(BlsEntry& bls, std::string_view value) {
  if (const auto number = base::parse_unsigned(value); number && *number <= std::numeric_limits<unsigned>::max())
    bls.profile = unsigned(*number);
}

struct Key {
  std::string_view name;
  void (*take)(BlsEntry& bls, std::string_view value);
};
// `devicetree`, `devicetree-overlay`, `extra`, and GRUB's own (grub_class, grub_users, id) change nothing here.
constexpr Key keys[] = {
    {"title", [](BlsEntry& bls, std::string_view value) { bls.entry.title = value; }},
    {"version", [](BlsEntry& bls, std::string_view value) { bls.version = value; }},
    {"machine-id", [](BlsEntry& bls, std::string_view value) { bls.machine_id = value; }},
    {"sort-key", [](BlsEntry& bls, std::string_view value) { bls.sort_key = value; }},
    {"linux", take_program<BlsProgram::linux>},
    {"initrd", take_initrd},
    {"efi", take_program<BlsProgram::efi>},
    {"uki", take_program<BlsProgram::uki>},
    {"uki-url", take_program<BlsProgram::uki_url>},
    {"options", [](BlsEntry& bls, std::string_view value) { append(bls.entry.command_line, value); }},
    {"architecture", [](BlsEntry& bls, std::string_view value) { bls.architecture = base::lower(value); }},
    {"profile", take_profile},
};

void take(BlsEntry& bls, std::string_view key, std::string_view value) {
  if (const auto* known = std::ranges::find(keys, key, &Key::name); known != std::end(keys))
    return known->take(bls, value);
  if (!key.empty() && bls.entry.others.size() < most_others && value.size() <= longest_other)
    bls.entry.others.emplace_back(key, value);
}

// "arch+3" and "arch+2-1": tries that are left, and those that failed.
void cut_counter(BlsEntry& bls) {
  std::string& id = bls.entry.id;
  const auto plus = id.rfind('+');
  if (plus == std::string::npos) return;
  const std::string_view counter = std::string_view(id).substr(plus + 1);
  const auto dash = std::min(counter.find('-'), counter.size());
  const auto left = base::parse_unsigned(counter.substr(0, dash));
  const auto failed = dash == counter.size() ? 0 : base::parse_unsigned(counter.substr(dash + 1));
  if (!left || !failed || *left > 9999 || *failed > 9999) return;
  bls.tries_left = unsigned(*left);
  bls.tries_failed = unsigned(*failed);
  id.resize(plus);
}

// "/TOKEN/6.8.5/linux", as kernel-install places it.
std::string version_of_folder(std::string_view kernel) {
  const auto folder = kernel.substr(0, std::min(kernel.rfind('/'), kernel.size()));
  return std::string(folder.substr(folder.rfind('/') + 1));
}

// An entry's version need not be its kernel's: "23@6.8.1-1-default" is that of a snapshot, "Generation 42 NixOS 24.05,
// Linux Kernel 6.6.32, Built on …" of a generation, "1" of a deployment.
std::string kernel_in(std::string_view version) {
  if (version.find('@') != std::string_view::npos) version.remove_prefix(version.find('@') + 1);
  constexpr std::string_view named = "Linux Kernel ";
  if (const auto at = version.find(named); at != std::string_view::npos)
    version = version.substr(at + named.size(), version.find(',', at) - std::min(version.size(), at + named.size()));
  return is_kernel_version(version) ? std::string(version) : std::string();
}

std::string kernel_version_of(const BlsEntry& bls) {
  const std::string& kernel = bls.entry.kernel;
  const std::string named = kernel_version(kernel);  // or a hash: "linux-1f3c"
  for (const std::string& version : {named, kernel_in(bls.version), version_of_folder(kernel)})
    if (is_kernel_version(version)) return version;
  return named;
}

// ---- order ----

bool is_bad(const BlsEntry& bls) { return bls.tries_left == 0U; }
const std::string& id_of(const BlsEntry& bls) { return bls.image_id.empty() ? bls.entry.id : bls.image_id; }

bool stands_before(const BlsEntry& a, const BlsEntry& b) {
  const auto group = [](const BlsEntry& bls) {
    const bool has_key = !bls.sort_key.empty();
    return std::tuple(is_bad(bls), !has_key, bls.sort_key, has_key ? bls.machine_id : std::string());
  };
  if (group(a) != group(b)) return group(a) < group(b);
  if (!a.sort_key.empty())
    if (const auto order = compare_uapi_versions(a.version, b.version); order != 0) return order > 0;
  if (const auto order = compare_uapi_versions(id_of(a), id_of(b)); order != 0) return order > 0;
  if (a.profile != b.profile) return a.profile < b.profile;
  if (a.tries_left != b.tries_left) return a.tries_left > b.tries_left;
  return a.tries_failed < b.tries_failed;
}

// Since version 252 the pattern is held against the whole name, before against the name without ".conf".
bool fits(const BlsEntry& bls, std::string_view pattern) {
  const auto& [entry, image_id] = std::tie(bls.entry, bls.image_id);
  return matches_pattern(entry.id, pattern) || matches_pattern(entry.id + ".conf", pattern) ||
         (!image_id.empty() && matches_pattern(image_id, pattern));
}

// The loaders of other systems, which systemd-boot finds by itself, start where they are chosen alone.
bool is_automatic(const BlsEntry& bls) { return bls.entry.id.starts_with("auto-"); }

void choose(std::vector<BlsEntry>& all, const LoaderConf& conf) {
  const auto find = [&](auto is) { return std::ranges::find_if(all, is); };
  auto chosen = all.end();
  if (!conf.preferred.empty())
    chosen = find([&](const BlsEntry& bls) { return !is_bad(bls) && fits(bls, conf.preferred); });
  if (chosen == all.end() && !conf.chosen.empty())
    chosen = find([&](const BlsEntry& bls) { return fits(bls, conf.chosen); });
  if (chosen == all.end()) chosen = find([](const BlsEntry& bls) { return !is_automatic(bls); });
  if (chosen != all.end()) chosen->entry.is_default = true;
}

std::vector<BootEntry> plain(std::vector<BlsEntry> all) {
  std::vector<BootEntry> entries;
  for (BlsEntry& bls : all) entries.push_back(std::move(bls.entry));
  return entries;
}

}  // namespace

BlsEntry parse_bls(std::string_view text, std::string_view file_name) {
  BlsEntry bls;
  bls.file_name = file_name.substr(0, file_name.ends_with(".conf") ? file_name.size() - 5 : file_name.size());
  bls.entry.id = bls.file_name;
  cut_counter(bls);
  for (std::string_view line : base::lines(text)) {
    const auto [key, value] = key_and_value(line);
    if (!key.starts_with('#') && value.size() <= longest_text) take(bls, key, value);
  }
  if (bls.entry.title.empty()) bls.entry.title = bls.entry.id;
  bls.entry.version = kernel_version_of(bls);
  return bls;
}

bool is_shown(const BlsEntry& bls) {
  if (!bls.architecture.empty() && bls.architecture != "x64") return false;
  const bool is_remote = bls.program == BlsProgram::uki_url;
  return bls.program != BlsProgram::none && !(is_remote && bls.entry.kernel.starts_with(':'));
}

std::vector<BootEntry> order_as_systemd_boot(std::vector<BlsEntry> all, const LoaderConf& conf) {
  std::ranges::stable_sort(all, stands_before);
  std::stable_partition(all.begin(), all.end(), [](const BlsEntry& bls) { return !is_automatic(bls); });
  choose(all, conf);
  return plain(std::move(all));
}

std::vector<BootEntry> order_as_grub(std::vector<BlsEntry> all, const GrubVariables& variables) {
  std::ranges::stable_sort(
      all, [](const BlsEntry& a, const BlsEntry& b) { return compare_grub_packages(a.file_name, b.file_name) > 0; });
  for (BlsEntry& bls : all) bls.entry.id = bls.file_name;
  auto entries = plain(std::move(all));
  for (BootEntry& entry : entries) {
    entry.command_line = base::trim(expand_variables(entry.command_line, variables));
    for (std::string& path : entry.initramfs) path = expand_variables(path, variables);
    std::erase(entry.initramfs, "");
  }
  return entries;
}

LoaderConf parse_loader_conf(std::string_view text) {
  LoaderConf conf;
  for (std::string_view line : base::lines(text)) {
    const auto [key, value] = key_and_value(line);
    const bool is_known_here = !value.starts_with('@') && value.size() <= longest_text;
    if (key == "default") conf.chosen = is_known_here ? value : std::string_view();
    if (key == "preferred") conf.preferred = is_known_here ? value : std::string_view();
  }
  return conf;
}

}  // namespace hrvm::probe
