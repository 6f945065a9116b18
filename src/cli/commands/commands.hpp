// The commands, each defined in the file of its name, and the one table that lists them.
//
// To add `hrvm frob MACHINE`:
//   1. src/cli/commands/frob.cpp defines `const Command frob_command = {…}` and its run function (completion.cpp is a
//      small model): read context.arguments, do the work through the layers below, return an Outcome with a Report,
//      throw base::Error when it cannot be done. Choices, counts and unknown options were checked before it is called.
//   2. Declare it here, and add it to its section in commands.cpp.
//   3. man/hrvm-frob.1.scd names every option in bold; hrvm.1.scd lists the command. `hrvm snapshot frob` is
//      snapshot_frob.cpp, and its page is hrvm-snapshot.1.
//   4. tests/cli/frob/CASE.golden hold it (tests/cli/golden.hpp).
#pragma once

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

extern const Command bisect_bad_command;
extern const Command bisect_good_command;
extern const Command bisect_log_command;
extern const Command bisect_replay_command;
extern const Command bisect_reset_command;
extern const Command bisect_run_command;
extern const Command bisect_skip_command;
extern const Command bisect_start_command;
extern const Command bisect_status_command;
extern const Command boot_command;
extern const Command cat_command;
extern const Command clone_command;
extern const Command complete_command;
extern const Command completion_command;
extern const Command console_command;
extern const Command cp_command;
extern const Command diff_command;
extern const Command discover_command;
extern const Command doctor_command;
extern const Command export_command;
extern const Command help_command;
extern const Command image_check_command;
extern const Command image_compare_command;
extern const Command image_convert_command;
extern const Command image_create_command;
extern const Command image_info_command;
extern const Command image_map_command;
extern const Command import_command;
extern const Command list_command;
extern const Command log_command;
extern const Command ls_command;
extern const Command move_command;
extern const Command pause_command;
extern const Command remove_command;
extern const Command rename_command;
extern const Command reset_command;
extern const Command restart_command;
extern const Command resume_command;
extern const Command screenshot_command;
extern const Command set_command;
extern const Command show_command;
extern const Command snapshot_auto_command;
extern const Command snapshot_create_command;
extern const Command snapshot_delete_command;
extern const Command snapshot_describe_command;
extern const Command snapshot_flatten_command;
extern const Command snapshot_list_command;
extern const Command snapshot_prune_command;
extern const Command snapshot_rename_command;
extern const Command snapshot_revert_command;
extern const Command snapshot_show_command;
extern const Command snapshot_tree_command;
extern const Command stop_command;
extern const Command undo_command;
extern const Command verify_command;

}  // namespace hrvm::cli
