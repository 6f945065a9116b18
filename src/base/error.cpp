#include "hrvm/base/error.hpp"

#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "hrvm/base/finding.hpp"

namespace hrvm::base {

namespace {

struct KindWord {
  ErrorKind kind;
  std::string_view word;
};
constexpr std::array kind_words{
    KindWord{ErrorKind::usage, "usage"},
    KindWord{ErrorKind::refused, "refused"},
    KindWord{ErrorKind::not_found, "not_found"},
    KindWord{ErrorKind::permission, "permission"},
    KindWord{ErrorKind::busy, "busy"},
    KindWord{ErrorKind::exists, "exists"},
    KindWord{ErrorKind::unsupported, "unsupported"},
    KindWord{ErrorKind::corrupt, "corrupt"},
    KindWord{ErrorKind::io, "io"},
    KindWord{ErrorKind::external, "external"},
    KindWord{ErrorKind::interrupted, "interrupted"},
};

constexpr std::string_view full_hint = "free some space on that filesystem, or use another one";

struct ErrnoMeaning {
  int value;
  ErrorKind kind;
  std::string_view hint;
};
constexpr std::array errno_meanings{
    ErrnoMeaning{ENOENT, ErrorKind::not_found, ""},
    ErrnoMeaning{EACCES, ErrorKind::permission, ""},
    ErrnoMeaning{EPERM, ErrorKind::permission, ""},
    ErrnoMeaning{EROFS, ErrorKind::permission, "that filesystem is mounted read-only"},
    ErrnoMeaning{EEXIST, ErrorKind::exists, ""},
    ErrnoMeaning{EBUSY, ErrorKind::busy, ""},
    ErrnoMeaning{ETXTBSY, ErrorKind::busy, ""},
    ErrnoMeaning{ENOSPC, ErrorKind::io, full_hint},
    ErrnoMeaning{EDQUOT, ErrorKind::io, full_hint},
};

ErrnoMeaning meaning_of(int errno_value) {
  for (const ErrnoMeaning& meaning : errno_meanings)
    if (meaning.value == errno_value) return meaning;
  return {errno_value, ErrorKind::io, ""};
}

}  // namespace

std::string_view word(ErrorKind kind) {
  for (const KindWord& entry : kind_words)
    if (entry.kind == kind) return entry.word;
  return "io";
}

std::string_view word(Severity severity) {
  constexpr std::array<std::string_view, 3> words{"note", "warning", "error"};
  return words[std::size_t(severity)];
}

Error& Error::while_doing(std::string_view what) {
  message_ = fmt::format("{}: {}", what, message_);
  return *this;
}

Error system_error(int errno_value, std::string_view doing, std::string path) {
  const ErrnoMeaning meaning = meaning_of(errno_value);
  std::string message = fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno_value));
  return Error(meaning.kind, std::move(message)).on(std::move(path)).hint(std::string(meaning.hint));
}

}  // namespace hrvm::base
