// What goes to stderr, errors, warnings and hints, in one form for all; and what goes to standard output.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/launch/listener.hpp"

namespace hrvm::cli {

enum class Channel { out, err };
// --color, then NO_COLOR and TERM=dumb, then whether it is a terminal.
bool uses_color(const sys::Host& host, const Arguments& arguments, Channel channel);

// Whether the locale's charset is UTF-8, by LC_ALL, LC_CTYPE and LANG.
bool has_utf8(const sys::Host& host);

// How messages are written to stderr.
struct MessageStyle {
  bool color = false, ascii = false;
  bool json = false;  // errors alone
  bool hints = true;
};
MessageStyle message_style(const sys::Host& host, const Arguments& arguments);

// "hrvm: error: …" and "hint: …"; one {"schema":"hrvm.error/1",…} as JSON.
void print_error(std::ostream& err, const base::Error& error, const MessageStyle& style);

// The layers below speak as the command does.
launch::Listener listener(const Context& context);

// "hrvm: warning: …": `label` is what stands before the message. Control characters are escaped, line by line.
void print_message(std::ostream& err, std::string_view label, std::string_view message, const MessageStyle& style);

// The reader of our output has left ("hrvm list | head -1"): nobody is there to read it. Caught in run() alone.
struct ReaderGone {};

// Who was asked said no: exit status 1. Caught in run() alone.
struct NothingDone {};

// Who hears what a guest prints as it boots: stderr, where that is a terminal and somebody wants to read; else nobody.
std::function<void(const std::string& line)> console_listener(const Context& context);

// Writes all, and notices when it did not arrive: a full disk behind ">" must not look like success. Throws ReaderGone
// or Error.
void write_out(std::ostream& out, std::string_view text);

}  // namespace hrvm::cli
