#include "probe/boot/syslinux.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

// "KEYWORD rest", the keyword in lower case.
std::pair<std::string, std::string_view> cut_keyword(std::string_view line) {
  line = base::trim(line);
  const auto end = std::min(line.find_first_of(" \t"), line.size());
  return {base::lower(line.substr(0, end)), base::trim(line.substr(end))};
}

std::string absolute(std::string_view path, std::string_view folder) {
  std::vector<std::string> parts;
  for (std::string_view text : {path.starts_with('/') ? std::string_view() : folder, path})
    for (std::string_view part : base::split(text, '/')) {
      if (part.empty() || part == ".") continue;
      if (part != "..")
        parts.emplace_back(part);
      else if (!parts.empty())
        parts.pop_back();
    }
  return "/" + base::join(parts, "/");
}

class Reading {
 public:
  explicit Reading(std::string_view folder) : folder_(folder) {}

  void line(std::string_view text) {
    const auto [keyword, rest] = cut_keyword(text);
    if (keyword.empty() || keyword.starts_with('#') || rest.size() > longest_text) return;
    if (keyword == "default" || keyword == "ontimeout") return choose(keyword, rest);
    if (keyword == "label") return begin(rest);
    if (keyword == "menu") return menu(rest);
    if (!entries_.empty()) take(entries_.back(), keyword, rest);
  }

  std::vector<BootEntry> entries() && {
    std::erase_if(entries_, [](const BootEntry& entry) { return entry.kernel.empty(); });
    auto found = std::ranges::find(entries_, default_, &BootEntry::id);
    if (found == entries_.end()) found = std::ranges::find(entries_, menu_default_, &BootEntry::id);
    if (found == entries_.end()) found = entries_.begin();
    if (found != entries_.end()) found->is_default = true;
    return std::move(entries_);
  }

 private:
  // What starts when nobody chooses: the label that `ontimeout` names comes before that of `default`.
  void choose(std::string_view keyword, std::string_view label) {
    if (default_.empty() || keyword == "ontimeout") default_ = label;
  }

  void begin(std::string_view label) {
    if (entries_.size() == most_entries) return;
    entries_.emplace_back();
    entries_.back().id = entries_.back().title = label;
  }

  void menu(std::string_view text) {
    const auto [keyword, rest] = cut_keyword(text);
    if (entries_.empty()) return;
    if (keyword == "default") menu_default_ = entries_.back().id;
    if (keyword == "label") entries_.back().title = rest;
    std::erase(entries_.back().title, '^');  // marks the key that chooses it
  }

  void take(BootEntry& entry, std::string_view keyword, std::string_view rest) const {
    if (keyword == "linux" || keyword == "kernel") set_kernel(entry, rest);
    if (keyword == "initrd") set_initramfs(entry, rest);
    if (keyword == "append") {
      entry.command_line = rest;
      for (std::string_view word : base::split(rest, ' '))
        if (word.starts_with("initrd=")) set_initramfs(entry, word.substr(7));
    }
  }

  // A module of SYSLINUX's own (menu.c32, chain.c32) is no kernel.
  void set_kernel(BootEntry& entry, std::string_view path) const {
    if (path.empty() || path.ends_with(".c32")) return;
    entry.kernel = absolute(path, folder_);
    entry.version = kernel_version(entry.kernel);
  }

  void set_initramfs(BootEntry& entry, std::string_view paths) const {
    entry.initramfs.clear();
    for (std::string_view path : base::split(paths, ','))
      if (!path.empty() && entry.initramfs.size() < 16) entry.initramfs.push_back(absolute(path, folder_));
  }

  std::string_view folder_;
  std::vector<BootEntry> entries_;
  std::string default_, menu_default_;
};

}  // namespace

std::vector<BootEntry> parse_syslinux(std::string_view text, std::string_view folder) {
  Reading reading(folder);
  for (std::string_view line : base::lines(text)) reading.line(line);
  return std::move(reading).entries();
}

}  // namespace hrvm::probe
