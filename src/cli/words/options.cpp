// The options that every command takes, and those that several share.
#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

std::span<const Option> global_options() {
  static const std::vector<Option> all = {
      {.name = "--store",
       .value = "DIR",
       .help = "where machines are kept (also HRVM_STORE)",
       .completes = Completes::folder},
      {.name = "--json", .help = "print the result as one JSON object"},
      {.name = "--plain", .help = "print the result as tab-separated lines for scripts"},
      {.name = "--quiet", .letter = 'q', .help = "no progress, warnings or hints"},
      {.name = "--verbose", .letter = 'v', .help = "say more about what is done"},
      {.name = "--color", .value = "WHEN", .help = "colours", .choices = {"auto", "always", "never"}},
      {.name = "--root",
       .value = "DIR",
       .help = "read /sys, /dev, /proc, /run/udev, /usr and /etc from this folder",
       .completes = Completes::folder},
      {.name = "--help", .letter = 'h', .help = "print help, also for one command"},
      {.name = "--version", .help = "print the version"},
  };
  return all;
}

Option dry_run_option() { return {.name = "--dry-run", .help = "print what would be done, and do nothing"}; }
Option yes_option() { return {.name = "--yes", .letter = 'y', .help = "do not ask"}; }

}  // namespace hrvm::cli
