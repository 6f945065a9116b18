#include "probe/boot/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

// Words parted by blanks; double quotes hold one together, and are no part of it.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string subvolume_of(std::string_view flags) {
  for (std::string_view flag : base::split(flags, ',')) {
    if (!flag.starts_with("subvol=")) continue;
    flag.remove_prefix(7);
    return std::string(flag.substr(std::min(flag.find_first_not_of('/'), flag.size())));
  }
  return {};
}

std::optional<std::uint64_t> subvolume_id_of(std::string_view flags) {
  constexpr std::string_view key = "subvolid=";
  for (std::string_view flag : base::split(flags, ','))
    if (flag.starts_with(key)) return base::parse_unsigned(flag.substr(key.size()));
  return std::nullopt;
}

void add(std::vector<std::string>& devices, std::string device) {
  if (devices.size() < 16 && !std::ranges::count(devices, device)) devices.push_back(std::move(device));
}

// rd.luks.uuid=luks-UUID and rd.luks.name=UUID=NAME of dracut and systemd, cryptdevice=DEVICE:NAME of Arch.
void take_luks(CommandLine& line, std::string_view key, std::string_view value) {
  if (value.starts_with("luks-")) value.remove_prefix(5);
  if (key == "rd.luks.uuid" || key == "luks.uuid") add(line.luks, "UUID=" + std::string(value));
  if (key == "rd.luks.name" || key == "luks.name")
    add(line.luks, "UUID=" + std::string(value.substr(0, value.find('='))));
  if (key == "rd.luks.key" || key == "luks.key") add(line.key_files, std::string(value));
  if (key == "rd.luks.options" || key == "luks.options") add(line.luks_options, std::string(value));
  if (key == "cryptdevice") add(line.luks, std::string(value.substr(0, value.find(':'))));
}

// The first half of the 256 bits names the partition of what dm-verity vouches for.
std::string by_root_hash(std::string_view hash) {
  if (hash.size() < 32 || hash.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) return {};
  const auto part = [&](std::size_t at, std::size_t length) { return std::string(hash.substr(at, length)); };
  return "PARTUUID=" + part(0, 8) + "-" + part(8, 4) + "-" + part(12, 4) + "-" + part(16, 4) + "-" + part(20, 12);
}

void take(CommandLine& line, std::string_view key, std::string_view value) {
  if (key == "root") line.root = value;
  if (key == "rootflags") line.subvolume = subvolume_of(value), line.subvolume_id = subvolume_id_of(value);
  if (key == "mount.usr" || key == "usr") line.usr = value;
  if (key == "ostree") line.ostree = value;
  if (key == "composefs") line.composefs = value.substr(value.starts_with('?') ? 1 : 0);
  if (key == "init") line.init = value;
  if (key == "roothash" && line.root.empty()) line.root = by_root_hash(value);
  if (key == "usrhash" && line.usr.empty()) line.usr = by_root_hash(value);
  if (key == "resume") line.resume = value;
  if (key == "noresume") line.no_resume = true;
  if (key == "console" && line.consoles.size() < 16) line.consoles.emplace_back(value.substr(0, value.find(',')));
  if (key == "rd.lvm.lv" || key == "rd.lvm.vg") add(line.volumes, std::string(value));
  if (key == "rd.md.uuid") add(line.arrays, std::string(value));
  take_luks(line, key, value);
}

}  // namespace

bool CommandLine::has_serial_console() const {
  return std::ranges::any_of(consoles, [](const std::string& name) { return name.starts_with("ttyS"); });
}

CommandLine parse_command_line(std::string_view text) {
  CommandLine line;
  for (const std::string& word : words_of(text)) {
    const auto equals = std::min(word.find('='), word.size());
    take(line, std::string_view(word).substr(0, equals),
         std::string_view(word).substr(std::min(equals + 1, word.size())));
  }
  if (line.no_resume) line.resume.clear();
  return line;
}

}  // namespace hrvm::probe
