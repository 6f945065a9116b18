#include "cli/words/candidates.hpp"

#include <algorithm>

#include "cli/words/lookup.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using Words = std::vector<std::string>;

// The line before the word that is completed, and where that word stands in it.
struct Position {
  Line line;
  std::vector<const Option*> options;
  std::size_t positionals_before = 0;
  bool only_positionals = false;     // behind "--"
  const Option* value_of = nullptr;  // the last word is this option's value
};

Position examine(const Words& before) {
  Position position;
  position.line = split_line(before);
  position.options = options_of(position.line.command);
  for (auto word = position.line.rest.begin(); word != position.line.rest.end(); ++word) {
    if (position.only_positionals || word->empty() || (*word)[0] != '-') {
      ++position.positionals_before;
    } else if (*word == "--") {
      position.only_positionals = true;
    } else if (const auto* option = find_option(position.options, *word); option && takes_next_word(*option)) {
      if (std::next(word) == position.line.rest.end()) {
        position.value_of = option;
      } else {
        ++word;
      }
    }
  }
  return position;
}

void add_machines(const machine::Store& store, std::string_view suffix, Candidates& found) {
  for (const auto& name : store.names()) found.words.push_back({name + std::string(suffix), ""});
}

bool is_running(const machine::Machine& machine) { return run_state(machine) == machine::RunState::running; }
bool is_or_may_be_running(const machine::Machine& machine) {
  return is_running(machine) || !throw_away_folders(machine, true).empty();
}
bool is_or_may_be_stopped(const machine::Machine& machine) { return !is_running(machine); }

// Those for which the verb works, and those of which that cannot be known.
void add_machines_that(const machine::Store& store, bool (*are)(const machine::Machine&), Candidates& found) {
  for (const auto& name : store.names()) {
    try {
      if (!are(store.load(name))) continue;
    } catch (const base::Error&) {
    }
    found.words.push_back({name, ""});
  }
}

void add_snapshots(const machine::Store& store, const std::string& machine_name, Candidates& found) {
  for (const auto& snapshot : store.load(machine_name).definition.snapshots)
    if (!snapshot.is_nameless()) found.words.push_back({machine_name + "@" + snapshot.name, snapshot.description});
}

void add_machines_or_snapshots(const machine::Store& store, const std::string& word, Completes what,
                               Candidates& found) {
  const auto at = word.find('@');
  if (at != word.npos) return add_snapshots(store, word.substr(0, at), found);
  if (what == Completes::machine_or_snapshot) return add_machines(store, "", found);
  add_machines(store, "@", found);
}

void add_disks(const sys::Host& host, Candidates& found) {
  for (const auto& disk : probe::attached_disks(host, false)) {
    const auto size = base::format_bytes(disk.size_bytes);
    found.words.push_back({disk.path, disk.model.empty() ? size : disk.model + ", " + size});
  }
  found.paths = Candidates::Paths::files;
}

void add_commands(const std::string& group, Candidates& found) {
  for (const auto* command : commands()) {
    if (command->hidden) continue;
    const auto second = second_word(command->name);
    if (!group.empty()) {
      if (first_word(command->name) == group) found.words.push_back({std::string(second), command->summary});
    } else if (second.empty()) {
      found.words.push_back({command->name, command->summary});
    } else if (found.words.empty() || found.words.back().word != first_word(command->name)) {
      const std::string name(first_word(command->name));
      found.words.push_back({name, "see hrvm " + name + " --help"});
    }
  }
}

void add_options(const Position& position, Candidates& found) {
  for (const auto* option : position.options) {
    found.words.push_back({option->name, option->help});
    if (option->value_optional) found.words.push_back({option->name + "=", option->help});
  }
}

// A choice "bridge=IF" is completed as far as it is fixed.
std::string fixed_part(const std::string& choice) {
  const auto equals = choice.find('=');
  return equals == choice.npos ? choice : choice.substr(0, equals + 1);
}

bool is_path(std::string_view key) {
  return key == "iso" || key == "disk" || key == "share" || key == machine::base_key;
}

// "iso=/tmp/de" and "disk=+/tmp/de": what is in the folder that is named, with all that stands before it.
void add_paths(const std::string& word, Candidates& found) {
  auto begin = word.find('=') + 1;
  if (begin < word.size() && (word[begin] == '+' || word[begin] == '-')) ++begin;
  const auto slash = word.rfind('/');
  const auto end = slash == word.npos || slash < begin ? begin : slash + 1;
  const auto folder = sys::absolute(end == begin ? "." : word.substr(begin, end - begin));
  for (const auto& name : sys::list_directory(folder)) {
    const bool is_folder = sys::status(folder / name).type == sys::FileType::directory;
    found.words.push_back({word.substr(0, end) + name + (is_folder ? "/" : ""), ""});
  }
}

// "bus=", and behind it each bus.
void add_settings(const std::string& word, Candidates& found) {
  const auto key = word.substr(0, word.find('='));
  for (const auto& kind : machine::setting_kinds()) {
    const auto start = std::string(kind.key) + "=";
    if (word.find('=') == word.npos)
      found.words.push_back({start, kind.values});
    else if (kind.key == key && is_path(kind.key))
      add_paths(word, found);
    else if (kind.key == key)
      for (const auto& choice : kind.choices) found.words.push_back({start + fixed_part(choice), ""});
  }
}

void add_kind(const sys::Host& host, const machine::Store& store, Completes what, const std::string& word,
              Candidates& found) {
  switch (what) {
    case Completes::nothing:
      return;
    case Completes::machine:
      return add_machines(store, "", found);
    case Completes::machine_running:
      return add_machines_that(store, is_or_may_be_running, found);
    case Completes::machine_stopped:
      return add_machines_that(store, is_or_may_be_stopped, found);
    case Completes::machine_to_boot:
      return word.find('@') == word.npos ? add_machines_that(store, is_or_may_be_stopped, found)
                                         : add_snapshots(store, word.substr(0, word.find('@')), found);
    case Completes::snapshot:
    case Completes::machine_or_snapshot:
      return add_machines_or_snapshots(store, word, what, found);
    case Completes::source:
      return add_disks(host, found);
    case Completes::file:
      found.paths = Candidates::Paths::files;
      return;
    case Completes::folder:
      found.paths = Candidates::Paths::folders;
      return;
    case Completes::setting:
      return add_settings(word, found);
    case Completes::shell:
      found.words = {{"bash", ""}, {"zsh", ""}, {"fish", ""}};
      return;
    case Completes::command:
      return add_commands("", found);
  }
}

void add_values(const sys::Host& host, const machine::Store& store, const Option& option, const std::string& word,
                Candidates& found) {
  for (const auto& choice : option.choices) found.words.push_back({fixed_part(choice), ""});
  if (option.choices.empty()) add_kind(host, store, option.completes, word, found);
}

// The kind of the positional at `index`; the last one counts on where it may be given any number of times.
Completes kind_at(const Command& command, std::size_t index) {
  const auto& all = command.positionals;
  if (index < all.size()) return all[index].completes;
  return !all.empty() && may_repeat(all.back()) ? all.back().completes : Completes::nothing;
}

void add_positional(const sys::Host& host, const machine::Store& store, const Position& position,
                    const std::string& word, Candidates& found) {
  const auto* command = position.line.command;
  if (!command) return add_commands(position.line.full_name(), found);
  const auto kind = kind_at(*command, position.positionals_before);
  if (kind == Completes::command && position.positionals_before > 0) return add_commands(position.line.rest[0], found);
  add_kind(host, store, kind, word, found);
}

// "--bus=vi": the option stays in front of each of its values.
void add_joined_values(const sys::Host& host, const machine::Store& store, const Position& position,
                       const std::string& word, Candidates& found) {
  const auto equals = word.find('=');
  const auto* option = find_option(position.options, word.substr(0, equals));
  if (!option || option->value.empty()) return;
  add_values(host, store, *option, word.substr(equals + 1), found);
  for (auto& candidate : found.words) candidate.word = word.substr(0, equals + 1) + candidate.word;
}

void collect(const sys::Host& host, const machine::Store& store, const Position& position, const std::string& word,
             Candidates& found) {
  if (position.value_of) return add_values(host, store, *position.value_of, word, found);
  if (position.only_positionals || !word.starts_with('-')) return add_positional(host, store, position, word, found);
  if (word.find('=') != word.npos) return add_joined_values(host, store, position, word, found);
  add_options(position, found);
}

// The value of a global option that stands on the line: the last one counts.
std::string value_on_line(const Words& words, const std::string& option, const std::string& otherwise) {
  std::string value = otherwise;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == option && i + 1 < words.size()) value = words[i + 1];
    if (words[i].starts_with(option + "=")) value = words[i].substr(option.size() + 1);
  }
  return value;
}

}  // namespace

Candidates candidates(const sys::Host& host, const std::string& store, const std::vector<std::string>& words) {
  const std::string word = words.empty() ? "" : words.back();
  const Words before(words.begin(), words.empty() ? words.end() : std::prev(words.end()));
  sys::Host seen = host;
  Candidates found;
  try {
    seen.root = sys::absolute(value_on_line(before, "--root", host.root));
    const machine::Store machines(seen, sys::absolute(value_on_line(before, "--store", store)));
    collect(seen, machines, examine(before), word, found);
  } catch (const base::Error&) {
    found.words.clear();
  }
  std::erase_if(found.words, [&](const Candidate& candidate) { return !candidate.word.starts_with(word); });
  return found;
}

}  // namespace hrvm::cli
