#include "cli/commands.hpp"

namespace hrvm::cli {

const std::vector<Section>& sections() {
  // clang-format off
  static const std::vector<Section> all = {
      {"Disks and machines", {&discover_command}},
      {"Running", {}},
      {"Going back", {}},
      {"Snapshots", {}},
      {"Checking and keeping", {&doctor_command}},
      {"The tool itself", {&completion_command, &help_command, &complete_command}},
  };
  // clang-format on
  return all;
}

std::span<const Command* const> commands() {
  static const std::vector<const Command*> all = [] {
    std::vector<const Command*> flat;
    for (const auto& section : sections()) flat.insert(flat.end(), section.commands.begin(), section.commands.end());
    return flat;
  }();
  return all;
}

}  // namespace hrvm::cli
