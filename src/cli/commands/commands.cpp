#include "cli/commands/commands.hpp"

namespace hrvm::cli {

const std::vector<Section>& sections() {
  // clang-format off
  static const std::vector<Section> all = {
      {"Disks and machines", {&discover_command, &import_command, &list_command, &show_command, &set_command, &clone_command, &rename_command,
                              &move_command, &remove_command}},
      {"Running", {&boot_command, &stop_command, &restart_command, &pause_command, &resume_command,
                   &console_command, &screenshot_command}},
      {"Files", {&ls_command, &cat_command, &cp_command}},
      {"Going back", {&diff_command, &reset_command, &undo_command, &log_command}},
      {"Snapshots", {&snapshot_create_command, &snapshot_list_command, &snapshot_tree_command, &snapshot_show_command, &snapshot_revert_command,
                      &snapshot_rename_command, &snapshot_describe_command, &snapshot_delete_command, &snapshot_flatten_command, &snapshot_prune_command, &snapshot_auto_command}},
      {"Finding what broke it", {&bisect_start_command, &bisect_run_command, &bisect_good_command, &bisect_bad_command, &bisect_skip_command,
                                 &bisect_status_command, &bisect_log_command, &bisect_replay_command, &bisect_reset_command}},
      {"Checking and keeping", {&verify_command, &export_command, &doctor_command}},
      {"Images", {&image_create_command, &image_info_command, &image_map_command, &image_compare_command,
                   &image_convert_command, &image_check_command}},
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
