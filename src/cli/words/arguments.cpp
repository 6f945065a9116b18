#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

using base::Error;
using base::ErrorKind;

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
