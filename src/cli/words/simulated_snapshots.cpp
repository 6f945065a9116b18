#include "cli/words/simulated_snapshots.hpp"

#include <fmt/core.h>

#include <istream>
#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t largest_list = 16 << 20;
constexpr std::string_view manual = "manual", standard_input = "-";

std::string read_all(std::istream& in) {
  std::string text(largest_list + 1, '\0');
  in.read(text.data(), std::streamsize(text.size()));
  text.resize(std::size_t(in.gcount()));
  if (text.size() > largest_list)
    throw Error(ErrorKind::corrupt, fmt::format("standard input has more than {} bytes", largest_list));
  return text;
}

machine::RetentionCandidate snapshot_of_line(std::string_view line) {
  const auto parts = base::split(line, '\t');
  const auto fail = [](std::string message) { return Error(ErrorKind::corrupt, std::move(message)); };
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty())
    throw fail("it is not NAME, a tab, and TIME").hint("a line is NAME<TAB>TIME, or NAME<TAB>TIME<TAB>manual");
  if (parts.size() == 3 && parts[2] != manual)
    throw fail(fmt::format("\"{}\" is not \"{}\"", base::printable(parts[2]), manual))
        .hint("a third word says that the snapshot was not made automatically");
  const auto created = time_word(parts[1]);
  if (!created)
    throw fail(fmt::format("\"{}\" is no time", base::printable(parts[1]))).hint("a time is 2026-11-28T16:15:00Z");
  return {std::string(parts[0]), *created, parts.size() == 2};
}

// "+01:00" → an hour.
std::optional<std::chrono::minutes> offset_of(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = base::parse_unsigned(text.substr(1, 2)), minutes = base::parse_unsigned(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes ahead(*hours * 60 + *minutes);
  return text[0] == '-' ? -ahead : ahead;
}

}  // namespace

std::optional<base::Time> time_word(std::string_view text) {
  constexpr std::size_t without_zone = 19;
  if (text.size() <= without_zone + 1) return base::parse_time(text);
  const auto local = base::parse_time(std::string(text.substr(0, without_zone)) + "Z");
  const auto ahead = offset_of(text.substr(without_zone));
  if (!local || !ahead) return std::nullopt;
  return *local - *ahead;
}

std::vector<machine::RetentionCandidate> simulated_snapshots(const Context& context, const std::string& file) {
  const bool is_piped = file == standard_input;
  const auto text = is_piped ? read_all(context.host.streams.in) : sys::read_file(sys::absolute(file), largest_list);
  std::vector<machine::RetentionCandidate> snapshots;
  std::size_t number = 0;
  for (const auto line : base::lines(text)) {
    ++number;
    if (line.empty()) continue;
    try {
      snapshots.push_back(snapshot_of_line(line));
    } catch (Error& error) {
      throw error.while_doing(fmt::format("line {} of {}", number, is_piped ? "standard input" : file));
    }
  }
  return snapshots;
}

}  // namespace hrvm::cli
