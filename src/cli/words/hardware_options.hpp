// Options that say what a machine is made of, with the same words wherever they stand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/settings.hpp"

namespace hrvm::cli {

// A command's options, with those of them that are settings of the hardware between the others.
std::vector<Option> with_hardware_options(std::vector<Option> before, bool machine::HardwareOption::*where,
                                          const std::vector<Option>& after);
Option disk_option();
Option iso_option();
Option forward_option();
Option share_folder_option();

// What those options ask for. Error{usage} for what no machine can have.
machine::HardwareRequest chosen_hardware(const Arguments& arguments);
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
// FOLDER:TAG[,rw], with the folder found. Error{usage} for what is none, {not_found} for a folder that is not there.
machine::Share share_named(const std::string& word);
// What --share-folder names; "none": without the machine's own.
struct ChosenShares {
  std::vector<machine::Share> shares;
  bool without_own = false;
};
ChosenShares chosen_shares(const Arguments& arguments);
std::optional<machine::Disc> chosen_disc(const Arguments& arguments);

}  // namespace hrvm::cli
