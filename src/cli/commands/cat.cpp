// hrvm cat WHAT:PATH…: what is in files of a machine, a snapshot or a disk.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/reading_files.hpp"
#include "cli/steps/several.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t read_at_once = 256 << 10;

// In the child.
void send_file(fs::FileSystem& files, const std::string& path, const sys::PartWriter& write) {
  const auto node = fs::find(files, path);
  const auto stat = node ? std::optional(files.stat(*node)) : std::nullopt;
  if (!stat || stat->kind != fs::FileKind::regular)
    throw Error(ErrorKind::unsupported,
                fmt::format("{} is {}", base::printable(path),
                            stat && stat->kind == fs::FileKind::directory ? "a folder" : "no regular file"))
        .hint("hrvm ls lists a folder, and hrvm cp -r copies it");
  std::vector<std::byte> buffer(read_at_once);
  for (std::uint64_t offset = 0;;) {
    const auto count = files.read(*node, offset, buffer);
    if (count == 0) return;
    write({reinterpret_cast<const char*>(buffer.data()), count});
    offset += count;
  }
}

// A terminal is told what a control character is, and does not obey it.
std::string for_terminal(std::string_view text) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of("\n\t", at), text.size());
    shown += base::printable(text.substr(at, end - at));
    if (end < text.size()) shown += text[end];
    at = end + 1;
  }
  return shown;
}

Outcome run_cat(const Context& context) {
  if (context.rendering == Rendering::json)
    throw Error(ErrorKind::usage, "what is in a file is no JSON")
        .hint("leave --json out, or ask hrvm ls --json about it");
  const bool is_terminal = context.host.streams.out_is_terminal;
  const int status = for_each(context, words_given(context.arguments), [&](const std::string& word) {
    read_files(context, named_files(context, word), send_file, [&](std::string_view part) {
      write_out(context.host.streams.out, is_terminal ? for_terminal(part) : std::string(part));
    });
  });
  return {.status = status};
}

}  // namespace

const Command cat_command = {
    .name = "cat",
    .summary = "print files of a machine, a snapshot or a disk",
    .options = {force_reading_option()},
    .positionals = {{"WHAT:PATH", "the files: web:/etc/fstab, web@fresh:/etc/fstab, /dev/sda:p3:/etc/fstab",
                     Completes::machine_or_snapshot, Positional::Count::some}},
    .run = run_cat,
};

}  // namespace hrvm::cli
