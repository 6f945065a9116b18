// Network configuration that names an interface, or a network card's address: a machine's card has others.
#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/hazards/hazards.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_file = 64 << 10, most_files = 64, most_names = 8;

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

// ATTR{address}=="…", NAME="eth0" of udev's rules.
void read_rules(std::string_view line, const std::string& file, Bound& bound) {
  constexpr std::string_view address = "ATTR{address}==\"";
  const auto at = line.find(address);
  if (at != std::string_view::npos && is_address(line.substr(at + address.size(), 17)))
    bound.add(line.substr(at + address.size(), 17), file);
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
    {"/etc/systemd/network", "", ".network", read_settings},
    {"/etc/systemd/network", "", ".link", read_settings},
    {"/etc/sysconfig/network-scripts", "ifcfg-", "", read_settings},
    {"/etc/sysconfig/network", "ifcfg-", "", read_settings},
    {"/etc/udev/rules.d", "70-persistent-net", ".rules", read_rules},
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
    if (entry.kind == fs::FileKind::regular && entry.name.starts_with(place.name_prefix) &&
        entry.name.ends_with(place.name_suffix) && ++files <= most_files)
      read_file(root, place, std::string(place.folder) + "/" + entry.name, bound);
}

std::string joined(const std::set<std::string>& texts) { return base::join({texts.begin(), texts.end()}, ", "); }

}  // namespace

void check_network(const HazardContext& context, Findings& findings) {
  Bound bound;
  for (const Place& place : places) read_place(*context.root, place, bound);
  if (bound.names.empty()) return;
  findings.push_back(
      {"network-names-hardware", base::Severity::note, context.system.root,
       fmt::format("its network is set up for {} ({}), and a machine's card has another name and address",
                   joined(bound.names), joined(bound.files)),
       fmt::format("in the machine, see the card's name with: ip link; then put it into {}", *bound.files.begin())});
}

}  // namespace hrvm::probe
