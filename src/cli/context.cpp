#include <istream>
#include <ostream>

#include "cli/messages.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {

using base::Error;
using base::ErrorKind;

void Context::warn(std::string_view message) const {
  if (!quiet) print_message(host.streams.err, "hrvm: warning:", message, message_style(host, arguments));
}

void Context::note(std::string_view message) const {
  if (!quiet) print_message(host.streams.err, "hrvm: note:", message, message_style(host, arguments));
}

void Context::hint(std::string_view message) const {
  if (!quiet) print_message(host.streams.err, "hint:", message, message_style(host, arguments));
}

static bool is_yes(std::string_view answer) {
  const auto word = base::lower(base::trim(answer));
  return word == "y" || word == "yes";
}

void Context::confirm(std::string_view question) const {
  if (arguments.has("--yes")) return;
  if (!host.streams.in_is_terminal || !host.streams.err_is_terminal) {
    throw Error(ErrorKind::usage, std::string(question) + " There is no terminal to ask on").hint("add --yes to do it");
  }
  host.streams.err << base::printable(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(host.streams.in, answer);
  if (!is_yes(answer)) throw NothingDone{};
}

}  // namespace hrvm::cli
