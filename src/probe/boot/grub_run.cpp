#include "probe/boot/grub_run.hpp"

#include <algorithm>
#include <utility>

#include "hrvm/base/text.hpp"
#include "probe/boot/grub_test.hpp"
#include "probe/boot/grub_variables.hpp"

namespace hrvm::probe {
namespace {

// What grub-mkconfig's files ask for before they use it.
constexpr std::pair<std::string_view, std::string_view> features[] = {
    {"feature_menuentry_id", "y"},      {"feature_platform_search_hint", "y"}, {"feature_timeout_style", "y"},
    {"feature_default_font_path", "y"}, {"feature_chainloader_bpb", "y"},      {"feature_ntldr", "y"},
    {"feature_nativedisk_cmd", "y"},    {"feature_all_video_module", "y"},     {"feature_200_final", "y"},
    {"prefix", "/boot/grub"},
};

// menuentry TITLE [--class C]… [--users U] [--hotkey K] [--id ID | $menuentry_id_option ID] [--unrestricted]
BootEntry described(std::span<const std::string> words) {
  BootEntry entry;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--unrestricted") continue;
    if (words[i].starts_with("--id=")) entry.id = words[i].substr(5);
    if (words[i] == "--id" && i + 1 < words.size()) entry.id = words[i + 1];
    if (words[i].starts_with("--"))
      i += words[i].find('=') == std::string::npos ? 1 : 0;
    else if (entry.title.empty())
      entry.title = words[i];
  }
  return entry;
}

// "hd0,gpt3", "hd0,msdos3", "hd0,3": the disk that GRUB started from comes first.
std::string place_of(std::string_view device) {
  if (!device.starts_with("hd0,")) return {};
  device.remove_prefix(std::min(device.find_first_of("0123456789", 4), device.size()));
  const auto number = base::parse_unsigned(device);
  return number ? "place/p" + std::to_string(*number) : std::string();
}

// A kernel takes its line apart at blanks: GRUB puts a word that has some into quotes.
std::string command_line_of(std::span<const std::string> words) {
  std::vector<std::string> line;
  for (const std::string& word : words) line.push_back(word.find(' ') == std::string::npos ? word : "\"" + word + "\"");
  return base::join(line, " ");
}

}  // namespace

base::Error too_much_in_grub_cfg(std::string_view what) {
  return {base::ErrorKind::corrupt, "grub.cfg makes no sense: there are too many " + std::string(what)};
}

GrubRun::GrubRun(const std::optional<GrubVariables>& environment) : environment_(environment), items_(&menu_.items) {
  for (const auto& [name, text] : features) set(std::string(name), std::string(text));
}

void GrubRun::set(std::string name, std::string value) {
  if (variables_.size() >= most_grub_variables && !variables_.contains(name)) throw too_much_in_grub_cfg("variables");
  variables_.insert_or_assign(std::move(name), std::move(value));
}

std::string GrubRun::value(std::string_view name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? std::string() : found->second;
}

constexpr GrubRun::Command GrubRun::commands[] = {
    {"set", &GrubRun::run_set},
    {"unset", &GrubRun::run_unset},
    {"load_env", &GrubRun::run_load_env},
    {"search", &GrubRun::run_search},
    {"search.fs_uuid", &GrubRun::run_search_uuid},
    {"search.fs_label", &GrubRun::run_search_label},
    {"configfile", &GrubRun::run_configfile},
    {"source", &GrubRun::run_configfile},
    {"linux", &GrubRun::run_linux},
    {"linux16", &GrubRun::run_linux},
    {"linuxefi", &GrubRun::run_linux},
    {"initrd", &GrubRun::run_initrd},
    {"initrd16", &GrubRun::run_initrd},
    {"initrdefi", &GrubRun::run_initrd},
    {"chainloader", &GrubRun::run_chainloader},
    {"blscfg", &GrubRun::run_blscfg},
};

void GrubRun::command(Arguments words) {
  const std::string& name = words.front();
  if (const auto equals = name.find('='); equals != std::string::npos && equals > 0)
    return set(name.substr(0, equals), name.substr(equals + 1));
  for (const Command& known : commands)
    if (name == known.name) return (this->*known.run)(words.subspan(1));
}

bool GrubRun::holds(Arguments words) const {
  const auto is_file = [this](const std::string& path) { return environment_ && path.ends_with("/grubenv"); };
  if (words.size() >= 2 && words.front() == "[" && words.back() == "]")
    return grub_test(words.subspan(1, words.size() - 2), is_file);
  if (!words.empty() && words.front() == "test") return grub_test(words.subspan(1), is_file);
  return words.size() == 1 && words.front() == "true";
}

void GrubRun::count_entry() {
  if (++entries_ > most_entries) throw too_much_in_grub_cfg("entries");
}

GrubRun::Outside GrubRun::enter(Arguments words, bool is_submenu) {
  count_entry();
  items_->push_back({is_submenu ? GrubItem::Kind::submenu : GrubItem::Kind::entry, described(words)});
  GrubItem& item = items_->back();
  Outside outside{items_, entry_, value("root")};
  if (is_submenu) items_ = &item.items;
  entry_ = is_submenu ? nullptr : &item.entry;
  return outside;
}

void GrubRun::leave(Outside outside) {
  set("root", std::move(outside.root));
  entry_ = outside.entry;
  items_ = outside.items;
}

GrubMenu GrubRun::menu() && {
  menu_.variables = std::move(variables_);
  return std::move(menu_);
}

void GrubRun::run_set(Arguments arguments) {
  if (arguments.empty()) return;
  const auto equals = arguments[0].find('=');
  if (equals != std::string::npos) set(arguments[0].substr(0, equals), arguments[0].substr(equals + 1));
}

void GrubRun::run_unset(Arguments arguments) {
  for (const std::string& name : arguments) variables_.erase(name);
}

void GrubRun::run_load_env(Arguments) {
  if (environment_)
    for (const auto& [name, text] : *environment_) set(name, text);
}

// search [--no-floppy] [--hint…=…] --fs-uuid|--label [--set[=VARIABLE]] NAME
void GrubRun::run_search(Arguments arguments) {
  std::string variable = "root", kind = "file", name;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--fs-uuid" || word == "-u")
      kind = "uuid";
    else if (word == "--label" || word == "-l")
      kind = "label";
    else if (word.starts_with("--set="))
      variable = word.substr(6);
    else if (word == "--hint" || word == "-h")
      ++i;
    else if (word.starts_with("--fs-uuid="))
      kind = "uuid", name = word.substr(10);
    else if (!word.starts_with("-") && name.empty())
      name = word;
  }
  found(variable, kind, name);
}

void GrubRun::run_search_uuid(Arguments arguments) { search_for("uuid", arguments); }
void GrubRun::run_search_label(Arguments arguments) { search_for("label", arguments); }

// search.fs_uuid NAME [VARIABLE [HINTS…]]
void GrubRun::search_for(const std::string& kind, Arguments arguments) {
  if (!arguments.empty()) found(arguments.size() > 1 ? arguments[1] : "root", kind, arguments[0]);
}

// What a search for a file would find is not known here: the variable keeps what it has.
void GrubRun::found(const std::string& variable, const std::string& kind, const std::string& name) {
  if (kind != "file" && !name.empty()) set(variable, kind + "/" + name);
}

// Where a path without a device lies: on the root that is set, where it is known by what it holds.
GrubFile GrubRun::locate(std::string_view path) const {
  auto [device, rest] = split_device(path);
  if (device.empty()) device = value("root");
  const bool is_known = device.starts_with("uuid/") || device.starts_with("label/");
  return {is_known ? device : place_of(device), std::move(rest)};
}

void GrubRun::run_configfile(Arguments arguments) {
  if (entry_ == nullptr && !arguments.empty() && !menu_.next) menu_.next = locate(arguments[0]);
}

void GrubRun::run_linux(Arguments arguments) {
  if (entry_ == nullptr || arguments.empty()) return;
  GrubFile kernel = locate(arguments[0]);
  entry_->volume = std::move(kernel.volume);
  entry_->kernel = std::move(kernel.path);
  entry_->version = kernel_version(entry_->kernel);
  entry_->command_line = command_line_of(arguments.subspan(1));
}

void GrubRun::run_chainloader(Arguments arguments) {
  if (entry_ == nullptr || arguments.empty() || !entry_->kernel.empty()) return;
  GrubFile program = locate(arguments.back());
  if (!base::lower(program.path).ends_with(".efi")) return;
  entry_->volume = std::move(program.volume);
  entry_->kernel = std::move(program.path);
  entry_->is_chained = true;
}

void GrubRun::run_initrd(Arguments arguments) {
  if (entry_ == nullptr) return;
  for (const std::string& path : arguments) entry_->initramfs.push_back(locate(path).path);
}

void GrubRun::run_blscfg(Arguments) {
  if (entry_ != nullptr) return;
  count_entry();
  items_->push_back({GrubItem::Kind::bls, {}});
}

}  // namespace hrvm::probe
