#include "cli/messages.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <ostream>

#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {

using base::Error;
using base::Json;

bool uses_color(const sys::Host& host, const Arguments& arguments, Channel channel) {
  const auto asked = arguments.value("--color").value_or("auto");
  if (asked != "auto") return asked == "always";
  if (!host.variable("NO_COLOR").value_or("").empty() || host.variable("TERM").value_or("") == "dumb") return false;
  return channel == Channel::out ? host.streams.out_is_terminal : host.streams.err_is_terminal;
}

bool has_utf8(const sys::Host& host) {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto locale = base::lower(host.variable(name).value_or(""));
    if (!locale.empty()) return locale.find("utf-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

MessageStyle message_style(const sys::Host& host, const Arguments& arguments) {
  return {.color = uses_color(host, arguments, Channel::err),
          .ascii = !has_utf8(host),
          .json = arguments.has("--json"),
          .hints = !arguments.has("--quiet")};
}

static std::string_view color_of(std::string_view label) {
  if (label.ends_with("error:")) return "\033[1;31m";
  return label.ends_with("warning:") ? "\033[1;33m" : "\033[1m";
}

void print_message(std::ostream& err, std::string_view label, std::string_view message, const MessageStyle& style) {
  err << (style.color ? fmt::format("{}{}\033[0m", color_of(label), label) : std::string(label));
  std::string_view separator = " ";
  for (const auto line : base::lines(message)) {
    const auto text = base::printable(line);
    err << separator << (style.ascii ? report::to_ascii(text) : text);
    separator = "\n  ";
  }
  err << '\n' << std::flush;
}

// The message with the file and offset it is about, where it does not name them itself.
static std::string located(const Error& error) {
  const bool path_missing = !error.path().empty() && error.message().find(error.path()) == std::string::npos;
  const auto offset = error.offset() ? fmt::format("byte {}", *error.offset()) : std::string();
  if (!path_missing && offset.empty()) return error.message();
  if (!path_missing) return fmt::format("{} (at {})", error.message(), offset);
  return fmt::format("{} ({}{}{})", error.message(), error.path(), offset.empty() ? "" : " at ", offset);
}

static Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

static Json to_json(const Error& error) {
  Json json;
  json.set("schema", "hrvm.error/1").set("kind", word(error.kind())).set("message", error.message());
  json.set("path", or_null(error.path())).set("offset", error.offset()).set("hint", or_null(error.hint()));
  return json;
}

void print_error(std::ostream& err, const Error& error, const MessageStyle& style) {
  if (style.json) {
    err << base::to_text(to_json(error), -1) << '\n' << std::flush;
    return;
  }
  print_message(err, "hrvm: error:", located(error), style);
  if (style.hints && !error.hint().empty()) print_message(err, "hint:", error.hint(), style);
}

launch::Listener listener(const Context& context) {
  return {.warn = [&context](std::string_view message) { context.warn(message); },
          .note = [&context](std::string_view message) { context.note(message); },
          .hint = [&context](std::string_view message) { context.hint(message); },
          .verbose = context.verbose};
}

std::function<void(const std::string&)> console_listener(const Context& context) {
  auto& streams = context.host.streams;
  if (!streams.err_is_terminal || context.quiet || context.rendering == Rendering::json) return {};
  return [&err = streams.err](const std::string& line) { err << line << "\n" << std::flush; };
}

void write_out(std::ostream& out, std::string_view text) {
  errno = 0;
  out << text << std::flush;
  if (out) return;
  if (errno == EPIPE) throw ReaderGone{};
  throw base::system_error(errno ? errno : EIO, "write", "standard output");
}

}  // namespace hrvm::cli
