// Options that say what a machine is made of, with the same words wherever they stand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/definition.hpp"

namespace hrvm::cli {

Option memory_option();
Option cpus_option();
Option firmware_option();
Option bus_option();
Option net_option();
Option secure_boot_option();
Option tpm_option();
Option disk_option();
Option iso_option();

// nullopt for "auto" and where the option is not given; its choices were checked before.
template <typename T>
std::optional<T> chosen(const Arguments& arguments, std::string_view option,
                        std::optional<T> (*from)(std::string_view)) {
  const auto word = arguments.value(option);
  return word && *word != "auto" ? from(*word) : std::nullopt;
}
// Error{usage} for what no machine can have.
std::optional<std::uint64_t> chosen_memory(const Arguments& arguments);
std::optional<unsigned> chosen_cpus(const Arguments& arguments);
std::optional<machine::Network> chosen_network(const Arguments& arguments);
// What --disk names, and whether ",ro" follows the name.
struct ChosenDisk {
  std::string source;
  bool read_only = false;
};
std::vector<ChosenDisk> chosen_disks(const Arguments& arguments);
// The sizes that --new-disk asks for, in bytes.
std::vector<std::uint64_t> chosen_new_disks(const Arguments& arguments);
// FILE[,boot], with the file as it was named. A file's name may itself have commas in it.
machine::Disc disc_named(std::string word);
std::optional<machine::Disc> chosen_disc(const Arguments& arguments);

}  // namespace hrvm::cli
