// Pattern: a POSIX extended regular expression that is safe to hold against what a guest prints.
#pragma once

#include <regex.h>

#include <memory>
#include <string>

namespace hrvm::launch {

// Matching takes time in proportion to the line: there are no back-references (with which it would be exponential), and
// what glibc remembers of the lines so far is thrown away from time to time, as a guest could make it grow without end.
class Pattern {
 public:
  // Error{usage} with the reason when it is no expression, or has a back-reference.
  explicit Pattern(std::string expression);

  bool matches(const std::string& line);

 private:
  struct Free {
    void operator()(regex_t* compiled) const;
  };
  void compile();
  std::string expression_;
  std::unique_ptr<regex_t, Free> compiled_;
  std::size_t seen_bytes_ = 0;  // since it was compiled
};

}  // namespace hrvm::launch
