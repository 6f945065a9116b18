// Network configuration that names an interface, or a network card's address: a machine's card has others.
#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/hazards/hazards.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_file = 64 << 10, most_files = 256, most_names = 8;

// Names that a computer's cards get, in contrast to bridges, bonds and the like that the configuration itself makes.
bool is_card(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_plain = [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); };
  const bool has_prefix = name.starts_with("eth") || name.starts_with("en") || name.starts_with("wl");
  return has_prefix && name.size() < 16 && std::ranges::all_of(name, is_plain) && std::ranges::any_of(name, is_digit);
}

struct Bound {
  std::set<std::string> names;  // interfaces, addresses
  std::set<std::string> files;
  void add(std::string_view name, const std::string& file) {
    if (names.size() >= most_names) return;
    names.emplace(name);
    files.insert(file);
  }
};

std::string_view unquoted(std::string_view text) {
  text = base::trim(text);
  while (!text.empty() && (text.front() == '"' || text.front() == '\'')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '"' || text.back() == '\'')) text.remove_suffix(1);
  return text;
}

bool is_address(std::string_view text) { return text.size() == 17 && std::ranges::count(text, ':') == 5; }

// "auto enp3s0", "iface enp3s0 inet dhcp", "bridge-ports enp3s0" of ifupdown.
void read_interfaces(std::string_view line, const std::string& file, Bound& bound) {
  const auto words = base::split(line, ' ');
  const bool names_some = words[0] == "auto" || words[0] == "iface" || words[0] == "allow-hotplug" ||
                          words[0].ends_with("ports") || words[0].ends_with("slaves") ||
                          words[0].ends_with("raw-device");
  for (std::size_t i = 1; names_some && i < words.size(); ++i)
    if (is_card(words[i])) bound.add(words[i], file);
}

// "Name=enp3s0", "interface-name=…", "DEVICE=eth0", "MACAddress=…", "HWADDR=…" of files that consist of such lines.
void read_settings(std::string_view line, const std::string& file, Bound& bound) {
  constexpr std::string_view keys[] = {"name",   "interface-name",     "device", "macaddress", "mac-address",
                                       "hwaddr", "permanentmacaddress"};
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return;
  if (std::ranges::find(keys, base::lower(base::trim(line.substr(0, equals)))) == std::end(keys)) return;
  const auto value = unquoted(line.substr(equals + 1));
  if (is_card(value) || is_address(value)) bound.add(value, file);
}

// "    enp3s0:" and "macaddress: …" of netplan's YAML.
void read_netplan(std::string_view line, const std::string& file, Bound& bound) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto key = unquoted(line.substr(0, colon)), value = unquoted(line.substr(colon + 1));
  if (value.empty() && is_card(key)) bound.add(key, file);
  if ((key == "macaddress" && is_address(value)) || (key == "name" && is_card(value))) bound.add(value, file);
}

// [Match] MACAddress=… or Path=…, [Link] Name=nic0 of systemd.link(5): whatever the name, it is given to one card. A
// name that a policy gives to all has no such match.
void read_link(std::string_view line, const std::string& file, Bound& bound) {
  constexpr std::string_view keys[] = {"macaddress", "permanentmacaddress", "path", "property"};
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const auto key = base::lower(base::trim(line.substr(0, equals)));
  const auto value = unquoted(line.substr(equals + 1));
  if (std::ranges::find(keys, key) != std::end(keys))
    for (std::string_view each : base::split(value, ' '))
      if (is_address(each) || each.starts_with("pci-")) bound.add(each, file);
  if (key == "name" && !value.empty() && value.size() < 16) bound.add(value, file);
}

// The value of NAME="eth0", and not of NAME=="eth0"; empty for none, and for one that is made of the card's own.
std::string_view name_given(std::string_view line) {
  for (std::string_view key : {"NAME=\"", "NAME:=\"", "NAME+=\""}) {
    const auto at = line.find(key);
    if (at == std::string_view::npos || (at > 0 && line[at - 1] != ' ' && line[at - 1] != ',')) continue;
    const auto value = line.substr(at + key.size());
    const auto name = value.substr(0, value.find('"'));
    if (name.find_first_of("$%*/") == std::string_view::npos) return name;
  }
  return {};
}

// ATTR{address}=="…", NAME="eth0" of udev's rules, and other rules that give a card a name.
void read_rules(std::string_view line, const std::string& file, Bound& bound) {
  const auto name = name_given(line);
  for (std::string_view key : {"ATTR{address}==\"", "ATTRS{address}==\"", "SYSFS{address}==\""}) {
    const auto at = line.find(key);
    if (at != std::string_view::npos && is_address(line.substr(at + key.size(), 17)))
      bound.add(line.substr(at + key.size(), 17), file);
  }
  const bool is_of_cards = line.find("\"net\"") != std::string_view::npos ||
                           line.find("address}==") != std::string_view::npos ||
                           line.find("KERNEL==\"eth") != std::string_view::npos;
  if (is_of_cards && !name.empty()) bound.add(name, file);
}

// "nic0 mac 52:54:00:…" of iftab(5), "eth0 52:54:00:…" of mactab.
void read_addresses(std::string_view line, const std::string& file, Bound& bound) {
  for (std::string_view word : base::split(line, ' '))
    if (is_address(word)) bound.add(word, file);
}

struct Place {
  std::string_view folder, name_prefix, name_suffix;
  void (*read)(std::string_view line, const std::string& file, Bound& bound);
};
constexpr Place places[] = {
    {"/etc/network", "interfaces", "interfaces", read_interfaces},
    {"/etc/network/interfaces.d", "", "", read_interfaces},
    {"/etc/netplan", "", ".yaml", read_netplan},
    {"/etc/NetworkManager/system-connections", "", "", read_settings},
    {"/usr/lib/netplan", "", ".yaml", read_netplan},
    {"/usr/lib/NetworkManager/system-connections", "", "", read_settings},
    {"/etc/netctl", "", "", read_settings},
    {"/etc/systemd/network", "", ".network", read_settings},
    {"/usr/local/lib/systemd/network", "", ".network", read_settings},
    {"/usr/lib/systemd/network", "", ".network", read_settings},
    {"/etc/systemd/network", "", ".link", read_link},
    {"/usr/local/lib/systemd/network", "", ".link", read_link},
    {"/usr/lib/systemd/network", "", ".link", read_link},
    {"/etc/sysconfig/network-scripts", "ifcfg-", "", read_settings},
    {"/etc/sysconfig/network", "ifcfg-", "", read_settings},
    {"/etc/udev/rules.d", "", ".rules", read_rules},
    {"/usr/local/lib/udev/rules.d", "", ".rules", read_rules},
    {"/etc", "iftab", "iftab", read_addresses},
    {"/etc", "mactab", "mactab", read_addresses},
};

void read_file(fs::FileSystem& root, const Place& place, const std::string& path, Bound& bound) {
  const std::string text = fs::try_read(root, path, largest_file).value_or("");
  for (std::string_view line : base::lines(text)) {
    std::string plain(base::trim(line));
    std::ranges::replace(plain, '\t', ' ');
    if (!plain.empty() && plain.front() != '#') place.read(plain, path, bound);
  }
}

void read_place(fs::FileSystem& root, const Place& place, Bound& bound) {
  const auto folder = fs::resolve(root, place.folder);
  const auto info = folder ? root.info(*folder) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return;
  std::size_t files = 0;
  for (const fs::Entry& entry : root.list(*folder))
    if ((entry.kind == fs::FileKind::regular || entry.kind == fs::FileKind::symlink) &&
        entry.name.starts_with(place.name_prefix) && entry.name.ends_with(place.name_suffix) && ++files <= most_files)
      read_file(root, place, std::string(place.folder) + "/" + entry.name, bound);
}

std::string joined(const std::set<std::string>& texts) { return base::join({texts.begin(), texts.end()}, ", "); }

// "ifname=eth0:52:54:00:…" of dracut.cmdline(7).
void read_command_line(const HazardContext& context, Bound& bound) {
  constexpr std::string_view key = "ifname=";
  const std::string own = context.system.boot ? context.system.boot->command_line : std::string();
  for (std::string_view word : base::split(own, ' '))
    if (word.starts_with(key)) bound.add(word.substr(key.size()), "the kernel's command line");
}

}  // namespace

void check_network(const HazardContext& context, Findings& findings) {
  Bound bound;
  read_command_line(context, bound);
  for (const Place& place : places) read_place(*context.root, place, bound);
  if (bound.names.empty()) return;
  findings.push_back(
      {"network-names-hardware", base::Severity::note, context.system.root,
       fmt::format("its network is set up for {} ({}), and a machine's card has another name and address",
                   joined(bound.names), joined(bound.files)),
       fmt::format("in the machine, see the card's name with: ip link; then put it into {}", *bound.files.begin())});
}

}  // namespace hrvm::probe
