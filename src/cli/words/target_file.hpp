// The file that a command writes an image or a report to: a regular one, new unless it may be replaced, that is no
// machine's base, in no store, and not on the very disk that is read.
#pragma once

#include <optional>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

struct TargetFile {
  sys::Path path;  // absolute; behind a symbolic link, where there is one
  bool replaces = false;
};

// Error{exists} for what is there, unless `force`, which a command that has no such option leaves null. Whatever
// `force` says: Error{refused} where writing it would change a base or the store, Error{unsupported} for what is no
// regular file, Error{not_found} where there is no folder for it.
TargetFile target_file(const std::string& word, const machine::Store& store, std::optional<bool> force);

// Error{usage} when the standard output, which "-" names, is a terminal: "a picture" is no text.
void check_takes_bytes(const Context& context, std::string_view what);

// Error{refused} when the file is a machine's base, or backs one.
void check_is_no_base(const sys::Path& path, const machine::Store& store);

// Error{refused} when writing the file would write to `disk`.
void check_is_not_on(const Context& context, const TargetFile& target, const std::string& disk);

}  // namespace hrvm::cli
