#include "cli/words/peers.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace hrvm::cli {
namespace {

// Of docker, virsh, vagrant, git, zfs and the shell. What destroys is only said to who typed what destroys there, too.
struct PeersWord {
  std::string_view word, ours;
};
constexpr PeersWord peers_words[] = {
    {"start", "boot"},
    {"run", "boot"},
    {"up", "boot"},
    {"launch", "boot"},
    {"ps", "list"},
    {"ls", "list"},
    {"rm", "remove"},
    {"undefine", "remove"},
    {"delete", "remove"},
    {"rollback", "snapshot revert"},
    {"restore", "snapshot revert"},
    {"revert", "snapshot revert"},
    {"shutdown", "stop"},
    {"poweroff", "stop"},
    {"halt", "stop"},
    {"kill", "stop"},
    {"down", "stop"},
    {"reboot", "restart"},
    {"info", "show"},
    {"status", "show"},
    {"inspect", "show"},
    {"describe", "show"},
    {"suspend", "pause"},
    {"unpause", "resume"},
    {"continue", "resume"},
    {"attach", "console"},
    {"connect", "console"},
    {"edit", "set"},
    {"config", "set"},
    {"mv", "rename"},
    {"migrate", "move"},
    {"scan", "discover"},
    {"lsblk", "discover"},
    {"create", "import"},
    {"new", "import"},
    {"define", "import"},
    {"add", "import"},
    {"save", "snapshot create"},
    {"checkpoint", "snapshot create"},
    {"commit", "snapshot create"},
    {"history", "log"},
    {"version", "--version"},
};

// What no command of ours does as it stands.
struct Explained {
  std::string_view word, hint;
};
constexpr std::string_view of_copies =
    "hrvm import SOURCE NAME makes another machine of the same disk; hrvm export writes an image of one";
constexpr Explained explained[] = {
    {"clone", of_copies},
    {"copy", of_copies},
    {"cp", of_copies},
    {"duplicate", of_copies},
    {"destroy", "hrvm stop --force ends a machine that runs; hrvm remove removes one with its snapshots"},
    {"mount", "hrvm boot runs a machine; hrvm diff tells what its guest changed"},
};

}  // namespace

std::optional<std::string> hint_for_peers_word(std::string_view word) {
  for (const auto& [known, hint] : explained)
    if (known == word) return std::string(hint);
  for (const auto& [known, ours] : peers_words)
    if (known == word) return fmt::format("did you mean hrvm {}?", ours);
  return std::nullopt;
}

}  // namespace hrvm::cli
