// Finding: something observed about a disk, a machine or the host that a person should know, with what to do about it.
// Findings are results, not failures: a command that reports one has done its work.
#pragma once

#include <string>
#include <string_view>

namespace hrvm::base {

enum class Severity { note, warning, error };  // `error` makes discover, verify and doctor exit 3

std::string_view word(Severity severity);

struct Finding {
  std::string id;  // stable, kebab-case: "gpt-backup-only"
  Severity severity = Severity::note;
  std::string subject;  // what it is about: "/dev/sda", "p3", a machine's name
  std::string message;  // one sentence, no full stop needed
  std::string remedy;   // a command line that can be pasted, or a sentence; may be empty

  friend bool operator==(const Finding&, const Finding&) = default;
};

}  // namespace hrvm::base
