#include "cli/words/hardware_options.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t least_new_disk = base::MiB, most_new_disk = 64 * base::TiB;
constexpr std::uint64_t new_disk_step = 4096;

// Removes the ending; false where there is none.
bool cut_ending(std::string& word, std::string_view ending) {
  if (!word.ends_with(ending)) return false;
  word.resize(word.size() - ending.size());
  return true;
}

std::string option_name(const machine::HardwareSetting& setting) { return "--" + std::string(setting.name); }

Option option_of(const machine::HardwareSetting& setting) {
  const auto& [at_import, at_boot, value, help, has_auto] = setting.option;
  Option option{.name = option_name(setting), .value = std::string(value), .help = std::string(help)};
  if (machine::is_switch(setting)) return option;
  option.choices = machine::choices_of(setting);
  if (has_auto) option.choices.insert(option.choices.begin(), "auto");
  return option;
}

// What the option of a setting says; nullopt where it is not given, or "auto".
std::optional<std::string> said(const Arguments& arguments, const machine::HardwareSetting& setting) {
  const auto word = arguments.value(option_name(setting));
  if (!word || setting.option.help.empty()) return std::nullopt;
  if (machine::is_switch(setting)) return "on";
  return setting.option.has_auto && *word == "auto" ? std::nullopt : word;
}

}  // namespace

std::vector<Option> with_hardware_options(std::vector<Option> before, bool machine::HardwareOption::*where,
                                          const std::vector<Option>& after) {
  auto options = std::move(before);
  for (const auto& setting : machine::hardware_settings())
    if (setting.option.*where) options.push_back(option_of(setting));
  options.insert(options.end(), after.begin(), after.end());
  return options;
}

Option disk_option() {
  return {.name = "--disk",
          .value = "SOURCE[,ro]",
          .help = "another disk or image, which the guest can only read",
          .completes = Completes::source,
          .repeatable = true};
}

Option iso_option() {
  return {.name = "--iso",
          .value = "FILE[,boot]",
          .help = "a disc in a CD drive; with \",boot\" it boots first",
          .completes = Completes::file};
}

Option forward_option() {
  return {.name = "--forward",
          .value = "HOST:GUEST",
          .help = "a TCP port on loopback that leads into the guest, or none",
          .repeatable = true};
}

Option share_folder_option() {
  return {.name = "--share-folder",
          .value = "FOLDER:TAG[,rw]",
          .help = "a folder of this host that the guest can mount by its tag, or none",
          .completes = Completes::folder,
          .repeatable = true};
}

// nullopt where nothing is said of them; none where "none" is.
static std::optional<std::vector<machine::PortForward>> chosen_forwards(const Arguments& arguments) {
  const auto words = arguments.values("--forward");
  if (words.empty()) return std::nullopt;
  if (auto forwards = machine::port_forwards_from(base::join(words, ","))) return forwards;
  for (const auto& word : words)
    if (!machine::port_forwards_from(word) || (word == "none" && words.size() > 1))
      throw Error(ErrorKind::usage, fmt::format("--forward: \"{}\" is not HOST:GUEST", base::printable(word)))
          .hint("two TCP ports: --forward 2222:22");
  throw Error(ErrorKind::usage, "--forward: a port of the host leads to one port of the guest alone");
}

machine::HardwareRequest chosen_hardware(const Arguments& arguments) {
  machine::HardwareRequest request;
  request.forwards = chosen_forwards(arguments);
  for (const auto& setting : machine::hardware_settings()) {
    const auto word = said(arguments, setting);
    if (!word || machine::ask(setting, request, *word)) continue;
    throw Error(ErrorKind::usage,
                fmt::format("{}: {} is not {}", option_name(setting), word->empty() ? "\"\"" : base::printable(*word),
                            machine::values_of(setting)))
        .hint(std::string(setting.hint));
  }
  return request;
}

std::vector<ChosenDisk> chosen_disks(const Arguments& arguments) {
  std::vector<ChosenDisk> disks;
  for (auto& source : arguments.values("--disk")) {
    auto& disk = disks.emplace_back(ChosenDisk{std::move(source)});
    disk.read_only = cut_ending(disk.source, ",ro");
  }
  return disks;
}

std::vector<std::uint64_t> chosen_new_disks(const Arguments& arguments) {
  std::vector<std::uint64_t> sizes;
  for (const auto& text : arguments.values("--new-disk")) {
    const auto bytes = base::parse_bytes(text);
    if (!bytes || *bytes < least_new_disk || *bytes > most_new_disk)
      throw Error(ErrorKind::usage, fmt::format("--new-disk: \"{}\" is no size from {} to {}", base::printable(text),
                                                base::format_bytes(least_new_disk), base::format_bytes(most_new_disk)))
          .hint("give it a unit: 512M, 20G");
    sizes.push_back(base::round_up(*bytes, new_disk_step));
  }
  return sizes;
}

machine::Disc disc_named(std::string word) {
  const bool boots_first = cut_ending(word, ",boot");
  return {std::move(word), boots_first};
}

machine::Share share_named(const std::string& word) {
  const bool names_folder = !word.empty() && !word.starts_with(':');
  if (auto share = machine::share_from(sys::absolute(word).string()); share && names_folder) {
    share->folder = sys::canonical(share->folder).string();
    return *std::move(share);
  }
  throw Error(ErrorKind::usage, fmt::format("\"{}\" is not FOLDER:TAG[,rw]", base::printable(word)))
      .hint("a folder, and what the guest mounts it by: /srv/data:data; \",rw\" lets the guest write to it");
}

ChosenShares chosen_shares(const Arguments& arguments) {
  ChosenShares chosen;
  for (const auto& word : arguments.values("--share-folder"))
    if (word == "none")
      chosen.without_own = true;
    else
      add_share(chosen.shares, share_named(word));
  return chosen;
}

std::optional<machine::Disc> chosen_disc(const Arguments& arguments) {
  auto word = arguments.value("--iso");
  return word ? std::optional(disc_named(*std::move(word))) : std::nullopt;
}

}  // namespace hrvm::cli
