#include "cli/steps/kept_console.hpp"

#include <fmt/core.h>

#include <thread>

#include "cli/messages.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using launch::ConsoleReader;
using machine::Machine;
using machine::Path;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_interval{200};

// 0 is the newest run, -1 the one before it; 1 is the oldest that is kept.
std::int64_t run_offset(const Arguments& arguments) {
  const auto word = arguments.value("--boot").value_or("0");
  const bool is_back = word.starts_with('-');
  const auto number = base::parse_unsigned(word.substr(is_back ? 1 : 0));
  if (number && *number <= 1'000'000) return is_back ? -std::int64_t(*number) : std::int64_t(*number);
  throw Error(ErrorKind::usage, fmt::format("--boot: \"{}\" is no number of a run", base::printable(word)))
      .hint("0 is the newest, -1 the one before it, 1 the oldest that is kept");
}

Error nothing_kept(const Machine& machine) {
  return Error(ErrorKind::not_found, fmt::format("what {} printed on its serial line is kept of no run", machine.name))
      .hint(launch::domain_record(machine.folder)
                ? "what libvirt runs libvirt can keep: <log file=…/> in the domain's <serial> (virsh edit)"
                : fmt::format("the next boot keeps it: hrvm boot {}", machine.name));
}

std::string runs_text(std::size_t count) {
  return count == 1 ? "1 run is kept" : fmt::format("{} runs are kept", count);
}

const Path& log_at(const Machine& machine, const std::vector<Path>& logs, std::int64_t offset) {
  if (logs.empty()) throw nothing_kept(machine);
  const auto index = offset > 0 ? offset - 1 : std::int64_t(logs.size()) - 1 + offset;
  if (index >= 0 && index < std::int64_t(logs.size())) return logs[std::size_t(index)];
  throw Error(ErrorKind::not_found, fmt::format("{} has no such run to show: {}", machine.name, runs_text(logs.size())))
      .hint(logs.size() == 1 ? "leave --boot out"
                             : fmt::format("--boot goes from 0, the newest, to -{}", logs.size() - 1));
}

class Printer {
 public:
  explicit Printer(const Context& context)
      : out_(context.host.streams.out), is_terminal_(context.host.streams.out_is_terminal) {}

  // All that there is now; whether there was any.
  bool print(ConsoleReader& reader) {
    bool any = false;
    while (const auto bytes = reader.read()) {
      sys::check_interrupted();
      write_out(out_, is_terminal_ ? text_.feed(*bytes) : *bytes);
      any = true;
    }
    if (is_terminal_) write_out(out_, text_.unfinished());
    return any;
  }
  void end() {
    if (is_terminal_ && text_.is_in_line()) write_out(out_, "\n");
  }

 private:
  std::ostream& out_;
  bool is_terminal_;
  launch::ConsoleText text_;
};

// What came before the run was seen to have ended is all there is.
void follow(ConsoleReader& reader, Printer& printer) {
  for (bool lasts = true; lasts;) {
    sys::check_interrupted();
    std::this_thread::sleep_for(look_interval);
    lasts = reader.run_lasts();
    printer.print(reader);
  }
}

Outcome print(const Context& context, const Path& log) {
  const bool follows = context.arguments.has("--follow");
  ConsoleReader reader(log, follows);
  Printer printer(context);
  if (reader.lacks_beginning()) context.note("it printed more than is kept: this is the newest part");
  const bool any = printer.print(reader);
  if (follows)
    follow(reader, printer);
  else if (!any)
    context.note("that run has printed nothing on its serial line");
  printer.end();
  return {};
}

Json lines_of(ConsoleReader& reader) {
  Json lines = Json::array();
  launch::ConsoleText text;
  std::string all;
  while (const auto bytes = reader.read()) all += text.feed(*bytes);
  all += text.unfinished();
  for (const auto line : base::lines(all)) lines.push(std::string(line));
  return lines;
}

Outcome as_json(const Machine& machine, const std::vector<Path>& logs, const Path& log) {
  ConsoleReader reader(log, false);
  const auto place = &log - logs.data();
  Json data;
  data.set("machine", machine.name).set("runs", std::uint64_t(logs.size()));
  data.set("boot", std::int64_t(place + 1 - std::int64_t(logs.size()))).set("path", log.string());
  data.set("running", reader.run_lasts()).set("lacks_beginning", reader.lacks_beginning());
  data.set("lines", lines_of(reader));
  return {.report = report::Report{.schema = "hrvm.log-console/1", .data = std::move(data)}};
}

}  // namespace

std::vector<Option> kept_console_options() {
  return {{.name = "--console", .help = "print what a run printed on its serial line"},
          {.name = "--boot", .value = "N", .help = "of which run: 0 the newest, -1 the one before it"},
          {.name = "--follow", .letter = 'f', .help = "go on while that run lasts"}};
}

void check_kept_console_words(const Context& context) {
  const auto& arguments = context.arguments;
  for (const auto* option : {"--boot", "--follow"})
    if (arguments.has(option) && !arguments.has("--console"))
      throw Error(ErrorKind::usage, fmt::format("{} is for what --console prints", option)).hint("add --console");
  if (arguments.has("--follow") && context.rendering == Rendering::json)
    throw Error(ErrorKind::usage, "--follow and --json cannot stand together: one object has an end");
}

Outcome show_kept_console(const Context& context, const Machine& machine) {
  const auto logs = launch::console_logs(context.host, machine);
  const auto& log = log_at(machine, logs, run_offset(context.arguments));
  return context.rendering == Rendering::json ? as_json(machine, logs, log) : print(context, log);
}

}  // namespace hrvm::cli
