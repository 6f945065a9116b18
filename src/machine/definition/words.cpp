#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "hrvm/machine/definition.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

template <typename T, std::size_t n>
using Words = std::array<std::pair<T, std::string_view>, n>;

constexpr Words<Firmware, 2> firmware_words = {{{Firmware::bios, "bios"}, {Firmware::uefi, "uefi"}}};
constexpr Words<MachineType, 2> machine_words = {{{MachineType::q35, "q35"}, {MachineType::pc, "pc"}}};
constexpr Words<Bus, 5> bus_words = {
    {{Bus::virtio, "virtio"}, {Bus::sata, "sata"}, {Bus::nvme, "nvme"}, {Bus::scsi, "scsi"}, {Bus::ide, "ide"}}};
constexpr Words<SecureBoot, 3> secure_boot_words = {
    {{SecureBoot::off, "off"}, {SecureBoot::on, "on"}, {SecureBoot::blank, "blank"}}};
constexpr Words<Nic, 4> nic_words = {
    {{Nic::virtio, "virtio-net"}, {Nic::e1000e, "e1000e"}, {Nic::e1000, "e1000"}, {Nic::rtl8139, "rtl8139"}}};
constexpr Words<Clock, 2> clock_words = {{{Clock::utc, "utc"}, {Clock::localtime, "localtime"}}};
constexpr Words<NetworkKind, 4> network_words = {{{NetworkKind::isolated, "isolated"},
                                                  {NetworkKind::nat, "nat"},
                                                  {NetworkKind::bridge, "bridge"},
                                                  {NetworkKind::none, "none"}}};

constexpr std::string_view boots_first_ending = ",boot";

template <typename T, std::size_t n>
std::string_view word_of(const Words<T, n>& words, T value) {
  return std::find_if(words.begin(), words.end(), [&](const auto& each) { return each.first == value; })->second;
}

template <typename T, std::size_t n>
std::optional<T> value_of(const Words<T, n>& words, std::string_view word) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const auto& each) { return each.second == word; });
  if (found == words.end()) return std::nullopt;
  return found->first;
}

// IFNAMSIZ with its NUL is 16; "/" and white space are not allowed in an interface's name.
bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() < 16 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '/' && c != ','; });
}

}  // namespace

std::string_view word(Firmware value) { return word_of(firmware_words, value); }
std::string_view word(MachineType value) { return word_of(machine_words, value); }
std::string_view word(Bus value) { return word_of(bus_words, value); }
std::string_view word(SecureBoot value) { return word_of(secure_boot_words, value); }
std::string_view word(Nic value) { return word_of(nic_words, value); }
std::string_view word(Clock value) { return word_of(clock_words, value); }
std::optional<Firmware> firmware_from(std::string_view word) { return value_of(firmware_words, word); }
std::optional<MachineType> machine_type_from(std::string_view word) { return value_of(machine_words, word); }
std::optional<Bus> bus_from(std::string_view word) { return value_of(bus_words, word); }
std::optional<SecureBoot> secure_boot_from(std::string_view word) { return value_of(secure_boot_words, word); }
std::optional<Nic> nic_from(std::string_view word) { return value_of(nic_words, word); }
std::optional<Clock> clock_from(std::string_view word) { return value_of(clock_words, word); }

bool is_cpu_model(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_.+-,=").find(char(c)) != std::string_view::npos;
  };
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text[0])) && std::ranges::all_of(text, is_plain);
}

std::string word(const Network& value) {
  const std::string kind(word_of(network_words, value.kind));
  return value.kind == NetworkKind::bridge ? kind + "=" + value.bridge : kind;
}

std::optional<Network> network_from(std::string_view word) {
  const auto equals = word.find('=');
  const auto kind = value_of(network_words, word.substr(0, equals));
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
