// Command: one verb of hrvm with its options, declared once, as data. Parsing, --help, "did you mean", shell completion
// and the test that holds the man pages to the code all come from these declarations.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/report/report.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::cli {

// What a word on the command line stands for: decides how it is completed.
enum class Completes {
  nothing,
  machine,
  machine_running,
  machine_stopped,
  machine_to_boot,  // a stopped one, or a snapshot
  snapshot,
  machine_or_snapshot,
  source,
  file,
  folder,
  setting,
  shell,
  command
};

struct Option {
  std::string name;                       // "--memory"
  char letter = 0;                        // 'm' for "-m"
  std::string value;                      // "SIZE": takes a value; empty: a flag
  std::string help;                       // one line, no full stop
  std::vector<std::string> choices = {};  // the only values allowed; "bridge=IF" stands for "bridge=" and anything
  Completes completes = Completes::nothing;
  bool repeatable = false;
  bool value_optional = false;  // --libvirt[=URI]
};

struct Positional {
  std::string name;  // "MACHINE@SNAP"
  std::string help;
  Completes completes = Completes::nothing;
  enum class Count { one, optional, some, any } count = Count::one;
};

// The words of one invocation, already checked against the command's declaration.
class Arguments {
 public:
  bool has(std::string_view option) const;
  std::optional<std::string> value(std::string_view option) const;  // the last one given
  std::vector<std::string> values(std::string_view option) const;
  std::optional<std::uint64_t> bytes(std::string_view option) const;   // Error{usage} when it is no size
  std::optional<std::uint64_t> number(std::string_view option) const;  // Error{usage} when it is no whole number
  const std::vector<std::string>& positionals() const { return positionals_; }
  const std::string& positional(std::size_t index) const { return positionals_.at(index); }

  void set(std::string option, std::string value) { options_[std::move(option)].push_back(std::move(value)); }
  void add_positional(std::string word) { positionals_.push_back(std::move(word)); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> options_;
  std::vector<std::string> positionals_;
};

enum class Rendering { human, plain, json };

// What every command gets: the host, the global options, its own words, and how to speak while it works.
struct Context {
  sys::Host& host;
  const Arguments& arguments;
  std::string store;  // --store, HRVM_STORE, or the place the user's rights ask for; absolute
  Rendering rendering = Rendering::human;
  bool quiet = false, verbose = false;
  bool color = false;

  // On stderr, unless --quiet: "hrvm: warning: …", "hrvm: note: …", "hint: …".
  void warn(std::string_view message) const;
  void note(std::string_view message) const;
  void hint(std::string_view message) const;
  // Asks "… [y/N]" on a terminal; elsewhere --yes must have been given, or this is Error{usage} that says so.
  void confirm(std::string_view question) const;
  bool dry_run() const { return arguments.has("--dry-run"); }
};

// What a command ends with: its report, and the status the shell gets (0, or 3 for problems found).
struct Outcome {
  std::optional<report::Report> report;
  int status = 0;
};

struct Command {
  std::string name;     // "snapshot create"
  std::string summary;  // one line for the list of commands
  std::vector<Option> options = {};
  std::vector<Positional> positionals = {};
  Outcome (*run)(const Context&) = nullptr;
  bool hidden = false;  // __complete
};

// A heading of --help, with its commands in the order in which a person meets them.
struct Section {
  std::string_view title;
  std::vector<const Command*> commands;
};
const std::vector<Section>& sections();

// The table of all commands, in the order of --help. Each is defined in the file of its name
// (src/cli/commands/<name>.cpp).
std::span<const Command* const> commands();
// Options that every command takes.
std::span<const Option> global_options();

// Options that several commands share.
Option dry_run_option();
Option yes_option();

// The whole tool: parses `words` (without argv[0]), runs, renders, and gives the exit status. Never throws.
int run(sys::Host& host, const std::vector<std::string>& words);

}  // namespace hrvm::cli
