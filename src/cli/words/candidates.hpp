// What could stand for the last word of an unfinished line: the answer to a Tab.
#pragma once

#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

struct Candidate {
  std::string word;         // ends with '=' or '@' where more must follow it at once
  std::string description;  // may be empty
};

struct Candidates {
  enum class Paths { none, files, folders };
  std::vector<Candidate> words;
  Paths paths = Paths::none;  // what the shell itself completes better
};

// `words` are those behind "hrvm"; the last is the one to be completed and may be empty. --store and --root among the
// words count. Never throws: what cannot be read offers nothing.
Candidates candidates(const sys::Host& host, const std::string& store, const std::vector<std::string>& words);

}  // namespace hrvm::cli
