#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "hrvm/base/text.hpp"
#include "hrvm/machine/definition.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

constexpr std::string_view boots_first_ending = ",boot";
constexpr std::string_view none = "none";
constexpr std::string_view writable_ending = ",rw";
constexpr std::size_t longest_tag = 36;  // of virtiofs

bool is_share_tag(std::string_view text) {
  const auto is_plain = [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= longest_tag && std::isalnum(static_cast<unsigned char>(text[0])) &&
         std::ranges::all_of(text, is_plain) && text != root_tag && text != none;
}

std::optional<std::uint16_t> port_from(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return std::uint16_t(*number);
}

// IFNAMSIZ with its NUL is 16; "/" and white space are not allowed in an interface's name.
bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() < 16 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != ','; });
}

}  // namespace

bool is_cpu_model(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_.+-,=").find(char(c)) != std::string_view::npos;
  };
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text[0])) && std::ranges::all_of(text, is_plain);
}

std::string word(const Network& value) {
  const std::string kind(word(value.kind));
  return value.kind == NetworkKind::bridge ? kind + "=" + value.bridge : kind;
}

std::optional<Network> network_from(std::string_view word) {
  const auto equals = word.find('=');
  const auto kind = from_word<NetworkKind>(word.substr(0, equals));
  const std::string_view interface = equals == word.npos ? "" : word.substr(equals + 1);
  const bool wants_interface = kind == NetworkKind::bridge;
  if (!kind || wants_interface != (equals != word.npos)) return std::nullopt;
  if (wants_interface && !is_interface_name(interface)) return std::nullopt;
  return Network{*kind, std::string(interface)};
}

std::string word(const Disc& value) { return value.path + std::string(value.boots_first ? boots_first_ending : ""); }

std::optional<Disc> disc_from(std::string_view word) {
  const bool boots_first = word.ends_with(boots_first_ending);
  if (boots_first) word.remove_suffix(boots_first_ending.size());
  if (!is_absolute_path(word)) return std::nullopt;
  return Disc{std::string(word), boots_first};
}

std::string word(const PortForward& value) { return fmt::format("{}:{}", value.host_port, value.guest_port); }

std::optional<PortForward> port_forward_from(std::string_view word) {
  const auto parts = base::split(word, ':');
  if (parts.size() != 2) return std::nullopt;
  const auto host = port_from(parts[0]), guest = port_from(parts[1]);
  return host && guest ? std::optional(PortForward{*host, *guest}) : std::nullopt;
}

std::optional<std::vector<PortForward>> port_forwards_from(std::string_view text) {
  std::vector<PortForward> all;
  if (text.empty() || text == none) return all;
  for (const auto part : base::split(text, ',')) {
    const auto forward = port_forward_from(part);
    if (!forward || std::ranges::count(all, forward->host_port, &PortForward::host_port) > 0) return std::nullopt;
    all.push_back(*forward);
  }
  return all;
}

std::string word(const Share& value) {
  return fmt::format("{}:{}{}", value.folder, value.tag, value.is_writable ? writable_ending : "");
}

// A folder's name may have colons in it, a tag has none.
std::optional<Share> share_from(std::string_view word) {
  const bool is_writable = word.ends_with(writable_ending);
  if (is_writable) word.remove_suffix(writable_ending.size());
  const auto colon = word.rfind(':');
  if (colon == word.npos || !is_absolute_path(word.substr(0, colon)) || !is_share_tag(word.substr(colon + 1)))
    return std::nullopt;
  return Share{std::string(word.substr(0, colon)), std::string(word.substr(colon + 1)), is_writable};
}

void add_share(std::vector<Share>& shares, Share share) {
  const auto same = std::ranges::find(shares, share.tag, &Share::tag);
  if (same == shares.end())
    shares.push_back(std::move(share));
  else
    *same = std::move(share);
}

}  // namespace hrvm::machine
