#include <algorithm>
#include <cctype>

#include "hrvm/machine/definition.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

constexpr std::string_view boots_first_ending = ",boot";

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

}  // namespace hrvm::machine
