#include "cli/words/hardware_options.hpp"

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t least_memory = 16 * base::MiB;
constexpr unsigned most_cpus = 1024;
constexpr std::uint64_t least_new_disk = base::MiB, most_new_disk = 64 * base::TiB;
constexpr std::uint64_t new_disk_step = 4096;

// Whether it ended so, and no longer does.
bool cut_ending(std::string& word, std::string_view ending) {
  if (!word.ends_with(ending)) return false;
  word.resize(word.size() - ending.size());
  return true;
}

}  // namespace

Option memory_option() { return {.name = "--memory", .value = "SIZE", .help = "memory: 512M, 4G"}; }

Option cpus_option() { return {.name = "--cpus", .value = "N", .help = "processors"}; }

Option firmware_option() {
  return {.name = "--firmware", .value = "KIND", .help = "what boots it", .choices = {"auto", "bios", "uefi"}};
}

Option bus_option() {
  return {.name = "--bus",
          .value = "BUS",
          .help = "what the disk hangs on",
          .choices = {"auto", "virtio", "sata", "nvme", "scsi", "ide"}};
}

Option net_option() {
  return {.name = "--net",
          .value = "NET",
          .help = "what it is connected to",
          .choices = {"isolated", "nat", "bridge=INTERFACE", "none"}};
}

Option secure_boot_option() {
  return {.name = "--secure-boot",
          .value = "WHICH",
          .help = "UEFI that boots only what is signed (on), or what you enroll keys for (blank)",
          .choices = {"off", "on", "blank"}};
}

Option tpm_option() { return {.name = "--tpm", .help = "with a TPM 2.0, by swtpm"}; }

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

std::optional<std::uint64_t> chosen_memory(const Arguments& arguments) {
  const auto bytes = arguments.bytes("--memory");
  if (bytes && *bytes < least_memory)
    throw Error(ErrorKind::usage, fmt::format("--memory: {} is too little to boot with", base::format_bytes(*bytes)))
        .hint("give it a unit: 512M, 4G");
  if (bytes && *bytes % base::MiB != 0)
    throw Error(ErrorKind::usage, "--memory: a machine's memory is a whole number of MiB").hint("for example 512M, 4G");
  return bytes;
}

std::optional<unsigned> chosen_cpus(const Arguments& arguments) {
  const auto cpus = arguments.number("--cpus");
  if (!cpus) return std::nullopt;
  if (*cpus < 1 || *cpus > most_cpus)
    throw Error(ErrorKind::usage, fmt::format("--cpus: {} is not from 1 to {}", *cpus, most_cpus));
  return unsigned(*cpus);
}

std::optional<machine::Network> chosen_network(const Arguments& arguments) {
  const auto word = arguments.value("--net");
  if (!word) return std::nullopt;
  const auto network = machine::network_from(*word);
  if (!network)
    throw Error(ErrorKind::usage, fmt::format("--net: \"{}\" is no network", base::printable(*word)))
        .hint("isolated, nat, none, or bridge=INTERFACE");
  return network;
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

std::optional<machine::Disc> chosen_disc(const Arguments& arguments) {
  auto word = arguments.value("--iso");
  return word ? std::optional(disc_named(*std::move(word))) : std::nullopt;
}

}  // namespace hrvm::cli
