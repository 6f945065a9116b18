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

Outcome run_cat(const Context& context) {
  if (context.rendering == Rendering::json)
    throw Error(ErrorKind::usage, "what is in a file is no JSON")
        .hint("leave --json out, or ask hrvm ls --json about it");
  const bool is_terminal = context.host.streams.out_is_terminal;
  const int status = for_each(context, words_given(context.arguments), [&](const std::string& word) {
    read_files(context, named_files(context, word), send_contents, [&](std::string_view part) {
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
