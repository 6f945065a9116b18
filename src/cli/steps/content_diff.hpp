// What differs in one file of two sources, as diff(1) tells it.
#pragma once

#include <string>

#include "cli/steps/open_source.hpp"

namespace hrvm::cli {

struct NamedSource {
  const Source& source;
  std::string name;  // for messages, and at the head of what is told
};

struct ContentDiff {
  std::string text;  // a unified diff, or that binary files differ; empty where they are the same
  bool is_cut = false;
};

// `place` is a path, with "VOLUME:" before it where there are several. A file that is in one of them alone is all
// added, or all removed. Runs the host's diff, in a process that has nothing but the two files. Error{not_found} where
// neither has it, or there is no diff; Error{unsupported} for what is no regular file, or is larger than 16 MiB.
ContentDiff content_diff(const Context& context, const NamedSource& from, const NamedSource& to,
                         const std::string& place);

}  // namespace hrvm::cli
