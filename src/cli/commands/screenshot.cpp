// hrvm screenshot MACHINE FILE: what the screen shows, as a PNG, so that one sees over ssh where a boot hangs.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/running.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

Outcome run_screenshot(const Context& context) {
  const auto& name = context.arguments.positional(0);
  const auto run = runs_named(context, name).front();
  if (context.arguments.positional(1) == "-") {
    check_takes_bytes(context, "a picture");
    write_out(context.host.streams.out, run.screenshot());
    return {};
  }
  const auto target =
      target_file(context.arguments.positional(1), open_store(context), context.arguments.has("--force"));
  const auto picture = run.screenshot();
  sys::AtomicFile file(target.path);
  file.write(picture);
  file.commit();
  auto report =
      run_report("screenshot", name, "written", fmt::format("{} shows what {} shows", target.path.string(), name));
  report.data.set("path", target.path.string());
  report.names = {target.path.string()};
  return {.report = std::move(report)};
}

}  // namespace

const Command screenshot_command = {
    .name = "screenshot",
    .summary = "write what a running machine's screen shows to a PNG file",
    .options = {{.name = "--force", .help = "replace the file"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or what runs of a snapshot", Completes::machine_running},
                    {"FILE", "the picture; - is the standard output", Completes::file}},
    .run = run_screenshot,
};

}  // namespace hrvm::cli
