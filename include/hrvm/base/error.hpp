// Error: the one way in which hrvm says that something could not be done.
//
// Thrown wherever a request cannot be met, caught where somebody can act and once in cli::run. A bad disk under
// inspection is no Error: it is a Finding (finding.hpp). Absence is std::optional.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hrvm::base {

// What a caller can branch on. Few, and stable: the words are printed by --json.
enum class ErrorKind {
  usage,        // the command line is wrong                          exit 2
  refused,      // possible but unsafe; the hint names the override   exit 4
  not_found,    // no such disk, machine, snapshot, file
  permission,   // EACCES, EPERM, a read-only filesystem
  busy,         // running, locked, used by somebody else
  exists,       // a name that is taken
  unsupported,  // valid, but hrvm does not do it
  corrupt,      // bytes that break their own format's rules
  io,           // the medium failed
  external,     // another program (QEMU, libvirt) failed
  interrupted,  // a signal asked us to stop                          exit 130 or 143
};

std::string_view word(ErrorKind kind);

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  // Builders, so that a throw reads as one sentence: throw Error(kind, "what").on(path).hint("do this").
  Error&& on(std::string path) && {
    path_ = std::move(path);
    return std::move(*this);
  }
  Error&& at(std::uint64_t byte_offset) && {
    offset_ = byte_offset;
    return std::move(*this);
  }
  Error&& hint(std::string text) && {
    hint_ = std::move(text);
    return std::move(*this);
  }

  // Puts what was being done before the message: "reading L2 table 3: …". Kind, path, offset and hint stay.
  Error& while_doing(std::string_view what);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& path() const { return path_; }                // empty: about no file
  std::optional<std::uint64_t> offset() const { return offset_; }  // bytes into path
  const std::string& hint() const { return hint_; }                // empty: nothing to advise
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
  std::string path_;
  std::optional<std::uint64_t> offset_;
  std::string hint_;
};

// The Error for a system call that set errno_value: "cannot open /dev/sda: Permission denied".
// `doing` is a verb ("open", "read"); the kind follows from errno (ENOENT not_found, EACCES/EPERM/EROFS permission,
// EEXIST exists, EBUSY/ETXTBSY busy, ENOSPC/EDQUOT io with a hint, the rest io).
Error system_error(int errno_value, std::string_view doing, std::string path);

}  // namespace hrvm::base
