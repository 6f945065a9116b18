// The whole tool, from words to an exit status. Errors are caught here, once.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>
#include <new>
#include <ostream>
#include <sstream>

#include "cli/messages.hpp"
#include "cli/words/help_text.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/parser.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/local_time.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

constexpr unsigned widest_terminal = 10000;

using base::Error;
using base::ErrorKind;

int exit_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 2;
    case ErrorKind::refused:
      return 4;
    case ErrorKind::interrupted:
      return 128 + (sys::interrupt_signal() ? sys::interrupt_signal() : SIGINT);
    default:
      return 1;
  }
}

Rendering rendering(const Arguments& arguments) {
  if (arguments.has("--json")) return Rendering::json;
  return arguments.has("--plain") ? Rendering::plain : Rendering::human;
}

std::string store_folder(const sys::Host& host, const Arguments& arguments) {
  const auto asked = arguments.value("--store");
  if (asked && asked->empty()) throw Error(ErrorKind::usage, "--store names no folder");
  return asked ? sys::absolute(*asked).string() : usual_store(host);
}

// The host as --root has it: this machine, or a recorded one.
sys::Host rooted(const sys::Host& host, const Arguments& arguments) {
  auto seen = host;
  const auto root = arguments.value("--root");
  if (!root) return seen;
  seen.root = sys::absolute(*root);
  if (sys::status(seen.root).type != sys::FileType::directory) {
    throw Error(ErrorKind::not_found, "--root: there is no such folder").on(seen.root);
  }
  return seen;
}

// A pipe has no width: what is cut there is lost.
report::HumanStyle human_style(const Context& context) {
  const auto& streams = context.host.streams;
  return {.color = context.color ? report::Color::on : report::Color::off,
          .columns = streams.out_is_terminal ? streams.columns : report::any_width,
          .ascii = !has_utf8(context.host),
          .utc_offset = [&host = context.host](base::Time time) { return sys::utc_offset(host, time); }};
}

// With --quiet the names alone, where the report has some.
report::Report quietly(const Context& context, report::Report report) {
  if (!context.quiet || !report.names) return report;
  report.human.clear();
  for (const auto& name : *report.names) report.human.push_back(report::TextView{name});
  return report;
}

// Whether people are told a command to type next.
bool advises_command(const report::Report& report) {
  return std::any_of(report.human.begin(), report.human.end(), [](const report::View& view) {
    const auto* text = std::get_if<report::TextView>(&view);
    return text && text->text.find("  hrvm ") != std::string::npos && text->text.find("--store") == std::string::npos;
  });
}

// The commands that are advised would look for the machine in another store.
void tell_of_store(const Context& context, const report::Report& report) {
  if (!context.arguments.has("--store") || context.rendering != Rendering::human || !advises_command(report)) return;
  if (usual_store(context.host) == context.store) return;
  context.hint(
      fmt::format("for such a command: export HRVM_STORE={}, or add --store to it", base::shell_quote(context.store)));
}

std::string rendered(const Context& context, const report::Report& report) {
  std::ostringstream text;
  switch (context.rendering) {
    case Rendering::json:
      report::render_json(report, text);
      break;
    case Rendering::plain:
      report::render_plain(report, text,
                           context.host.streams.out_is_terminal ? report::Reader::terminal : report::Reader::pipe);
      break;
    case Rendering::human:
      report::render_human(quietly(context, report), human_style(context), text);
  }
  return std::move(text).str();
}

// What could not be told has been done all the same, and is not to be done again.
void tell_outcome(const Context& context, const Outcome& outcome) try {
  write_out(context.host.streams.out, outcome.report ? rendered(context, *outcome.report) : std::string());
  if (outcome.report) tell_of_store(context, *outcome.report);
} catch (Error& error) {
  if (outcome.status != 0) throw;
  throw std::move(error).hint("what was asked for is done; only its report could not be written");
}

int run_command(const sys::Host& real_host, const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto host = rooted(real_host, arguments);
  const Context context{
      .host = host,
      .arguments = arguments,
      .store = store_folder(host, arguments),
      .rendering = rendering(arguments),
      .quiet = arguments.has("--quiet"),
      .verbose = arguments.has("--verbose"),
      .color = uses_color(host, arguments, Channel::out),
  };
  base::trace("cli", "runs {} on the store {}", invocation.command->name, context.store);
  const auto outcome = invocation.command->run(context);
  tell_outcome(context, outcome);
  return outcome.status;
}

int print_version(const sys::Host& host) {
  write_out(host.streams.out, "hrvm " HRVM_VERSION "\n");
  return 0;
}

int run_words(const sys::Host& host, const std::vector<std::string>& words) {
  // Asked by scripts before anything else: answered before the parser is even set up.
  if (words == std::vector<std::string>{"--version"}) return print_version(host);
  const auto invocation = parse(words);
  if (invocation.version) return print_version(host);
  if (invocation.help) {
    write_out(host.streams.out, help_text(invocation.help_topic, help_style(host, invocation.arguments)));
    return 0;
  }
  return run_command(host, invocation);
}

// How errors are shown must be known also when the words themselves are wrong.
Arguments error_style(const std::vector<std::string>& words) {
  Arguments style;
  for (const auto& word : words) {
    if (word == "--") break;
    if (word == "--json") style.set("--json", "");
    if (word == "--quiet" || word == "-q") style.set("--quiet", "");
    if (word == "--color=always" || word == "--color=never") style.set("--color", word.substr(8));
  }
  return style;
}

// COLUMNS goes before what the terminal says of itself.
void heed_columns(sys::Host& host) {
  const auto columns = base::parse_unsigned(host.variable("COLUMNS").value_or(""));
  if (columns && *columns > 0 && *columns <= widest_terminal) host.streams.columns = unsigned(*columns);
}

int fail(const sys::Host& host, const std::vector<std::string>& words, const Error& error) {
  const auto style = error_style(words);
  print_error(host.streams.err, error, message_style(host, style));
  return exit_status(error.kind());
}

}  // namespace

int run(sys::Host& host, const std::vector<std::string>& words) {
  try {
    heed_columns(host);
    return run_words(host, words);
  } catch (const Error& error) {
    return fail(host, words, error);
  } catch (const NothingDone&) {
    host.streams.err << "Nothing was done.\n" << std::flush;
    return 1;
  } catch (const ReaderGone&) {
    return 128 + SIGPIPE;
  } catch (const std::bad_alloc&) {
    return fail(host, words, Error(ErrorKind::io, "out of memory").hint("close other programs, or add swap"));
  } catch (const std::exception& error) {
    return fail(host, words, Error(ErrorKind::io, error.what()));
  }
}

}  // namespace hrvm::cli
