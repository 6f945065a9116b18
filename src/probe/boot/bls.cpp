#include "probe/boot/bls.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "hrvm/base/text.hpp"
#include "probe/boot/grub_cfg.hpp"

namespace hrvm::probe {
namespace {

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

void take(BlsEntry& bls, std::string_view key, std::string_view value) {
  BootEntry& entry = bls.entry;
  if (key == "title") entry.title = value;
  if (key == "version") entry.version = value;
  if (key == "linux") entry.kernel = value;
  if (key == "efi" && entry.kernel.empty()) entry.kernel = value;
  if (key == "options") append(entry.command_line, value);
  if (key == "sort-key") bls.sort_key = value;
  if (key == "machine-id") bls.machine_id = value;
  if (key == "initrd" && entry.initramfs.size() < 16)
    for (std::string_view path : base::split(value, ' '))
      if (!path.empty()) entry.initramfs.emplace_back(path);
}

// "arch+3" and "arch+2-1": tries that are left, and those that failed.
void cut_counter(BlsEntry& bls) {
  std::string& id = bls.entry.id;
  const auto plus = id.rfind('+');
  if (plus == std::string::npos || id.find_first_not_of("0123456789-", plus + 1) != std::string::npos) return;
  bls.is_bad = id.substr(plus + 1, id.find('-', plus) - plus - 1) == "0";
  id.resize(plus);
}

bool is_newer(const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) > 0; }

bool stands_before(const BlsEntry& a, const BlsEntry& b) {
  const auto group = [](const BlsEntry& bls) {
    const bool has_key = !bls.sort_key.empty();
    return std::tuple(bls.is_bad, !has_key, bls.sort_key, has_key ? bls.machine_id : std::string());
  };
  if (group(a) != group(b)) return group(a) < group(b);
  const auto version = [](const BlsEntry& bls) { return bls.release.empty() ? bls.entry.version : bls.release; };
  if (!a.sort_key.empty() && version(a) != version(b)) return is_newer(version(a), version(b));
  return is_newer(a.entry.id, b.entry.id);
}

std::vector<BootEntry> plain(std::vector<BlsEntry> all) {
  std::vector<BootEntry> entries;
  for (BlsEntry& bls : all) entries.push_back(std::move(bls.entry));
  return entries;
}

}  // namespace

BlsEntry parse_bls(std::string_view text, std::string_view file_name) {
  BlsEntry bls;
  bls.entry.id = file_name.substr(0, file_name.ends_with(".conf") ? file_name.size() - 5 : file_name.size());
  cut_counter(bls);
  for (std::string_view line : base::lines(text)) {
    const auto [key, value] = key_and_value(line);
    if (!key.starts_with('#') && value.size() <= longest_text) take(bls, key, value);
  }
  if (bls.entry.title.empty()) bls.entry.title = bls.entry.id;
  if (bls.entry.version.empty()) bls.entry.version = kernel_version(bls.entry.kernel);
  return bls;
}

std::vector<BootEntry> order_as_systemd_boot(std::vector<BlsEntry> all, std::string_view pattern) {
  std::ranges::stable_sort(all, stands_before);
  auto entries = plain(std::move(all));
  // Since version 252 the pattern is held against the whole name, before against the name without ".conf".
  const auto fits = [&](const BootEntry& entry) {
    return matches_pattern(entry.id, pattern) || matches_pattern(entry.id + ".conf", pattern);
  };
  auto chosen = pattern.empty() ? entries.end() : std::ranges::find_if(entries, fits);
  if (chosen == entries.end()) chosen = entries.begin();
  if (chosen != entries.end()) chosen->is_default = true;
  return entries;
}

std::vector<BootEntry> order_as_grub(std::vector<BlsEntry> all, const GrubVariables& variables) {
  std::ranges::stable_sort(all, [](const BlsEntry& a, const BlsEntry& b) { return is_newer(a.entry.id, b.entry.id); });
  auto entries = plain(std::move(all));
  for (BootEntry& entry : entries) {
    entry.command_line = base::trim(expand_variables(entry.command_line, variables));
    for (std::string& path : entry.initramfs) path = expand_variables(path, variables);
    std::erase(entry.initramfs, "");
  }
  return entries;
}

std::string parse_loader_conf(std::string_view text) {
  std::string chosen;
  for (std::string_view line : base::lines(text))
    if (const auto [key, value] = key_and_value(line); key == "default") chosen = value;
  return chosen.starts_with('@') || chosen.size() > longest_text ? std::string() : chosen;
}

}  // namespace hrvm::probe
