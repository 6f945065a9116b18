// The options that every command takes, those that several share, and the words that were given for them.
#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

using base::Error;
using base::ErrorKind;

std::span<const Option> global_options() {
  static const std::vector<Option> all = {
      {.name = "--store",
       .value = "DIR",
       .help = "where machines are kept (also HRVM_STORE)",
       .completes = Completes::folder},
      {.name = "--json", .help = "print the result as one JSON object"},
      {.name = "--plain", .help = "print the result as tab-separated lines for scripts"},
      {.name = "--quiet", .letter = 'q', .help = "no progress, warnings or hints"},
      {.name = "--verbose", .letter = 'v', .help = "say more about what is done"},
      {.name = "--color", .value = "WHEN", .help = "colours", .choices = {"auto", "always", "never"}},
      {.name = "--root",
       .value = "DIR",
       .help = "read /sys, /dev, /proc, /run/udev, /usr and /etc from this folder",
       .completes = Completes::folder},
      {.name = "--help", .letter = 'h', .help = "print help, also for one command"},
      {.name = "--version", .help = "print the version"},
  };
  return all;
}

Option dry_run_option() { return {.name = "--dry-run", .help = "print what would be done, and do nothing"}; }
Option yes_option() { return {.name = "--yes", .letter = 'y', .help = "do not ask"}; }

bool Arguments::has(std::string_view option) const { return options_.find(option) != options_.end(); }

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto found = options_.find(option);
  if (found == options_.end()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::uint64_t> Arguments::bytes(std::string_view option) const {
  const auto text = value(option);
  if (!text) return std::nullopt;
  if (const auto size = base::parse_bytes(*text)) return size;
  throw Error(ErrorKind::usage, fmt::format("{}: \"{}\" is no size", option, base::printable(*text)))
      .hint("a size is a number with K, M, G or T behind it: 512M, 4G, 1.5T");
}

std::optional<std::uint64_t> Arguments::number(std::string_view option) const {
  const auto text = value(option);
  if (!text) return std::nullopt;
  if (const auto number = base::parse_unsigned(*text)) return number;
  throw Error(ErrorKind::usage, fmt::format("{}: \"{}\" is no whole number", option, base::printable(*text)));
}

}  // namespace hrvm::cli
