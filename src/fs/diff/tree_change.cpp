#include <array>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/tree_diff.hpp"

namespace hrvm::fs {
namespace {

constexpr char separator = '\0';  // no name holds one
constexpr std::size_t fields = 9;
constexpr std::string_view kinds = "-+MR";

struct Letter {
  char letter;
  bool Differs::*member;
};
constexpr std::array letters{Letter{'c', &Differs::content}, Letter{'m', &Differs::mode},
                             Letter{'o', &Differs::owner},   Letter{'a', &Differs::attributes},
                             Letter{'t', &Differs::times},   Letter{'l', &Differs::links},
                             Letter{'g', &Differs::target}};

std::string text_of(std::optional<std::uint64_t> number) { return number ? std::to_string(*number) : std::string(); }

}  // namespace

std::string to_text(const TreeChange& change) {
  std::string differs;
  for (const Letter& each : letters)
    if (change.differs.*each.member) differs += each.letter;
  std::string text;
  for (const std::string& field : {std::string(1, char(change.kind)), std::to_string(int(change.type)),
                                   std::string(change.is_subvolume ? "s" : ""), change.path, change.from,
                                   text_of(change.size_bytes), text_of(change.old_size_bytes), differs})
    text += field + separator;
  return text + change.problem;
}

TreeChange tree_change_from_text(std::string_view text) {
  const auto parts = base::split(text, separator);
  const auto type = parts.size() == fields ? base::parse_unsigned(parts[1]) : std::nullopt;
  const bool is_sound = type && *type <= std::uint64_t(FileKind::other) && parts[0].size() == 1 &&
                        kinds.find(parts[0].front()) != std::string_view::npos && parts[3].starts_with('/');
  if (!is_sound)
    throw base::Error(base::ErrorKind::corrupt, "the reader of the disks gave an answer that makes no sense");
  TreeChange change{.kind = TreeChangeKind(parts[0].front()),
                    .type = FileKind(*type),
                    .is_subvolume = !parts[2].empty(),
                    .path = std::string(parts[3]),
                    .from = std::string(parts[4]),
                    .size_bytes = base::parse_unsigned(parts[5]),
                    .old_size_bytes = base::parse_unsigned(parts[6]),
                    .problem = std::string(parts[8])};
  for (const Letter& each : letters) change.differs.*each.member = parts[7].find(each.letter) != std::string_view::npos;
  return change;
}

}  // namespace hrvm::fs
