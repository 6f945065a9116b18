#include <algorithm>
#include <array>

#include "hrvm/base/text.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

namespace {

struct ConsoleWord {
  Console value;
  std::string_view word;
};
constexpr std::array console_words{ConsoleWord{Console::automatic, "auto"}, ConsoleWord{Console::serial, "serial"},
                                   ConsoleWord{Console::vnc, "vnc"}, ConsoleWord{Console::gui, "gui"},
                                   ConsoleWord{Console::none, "none"}};

std::optional<std::uint16_t> port_from(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number == 0 || *number > 65535) return std::nullopt;
  return std::uint16_t(*number);
}

}  // namespace

std::string_view word(Accelerator value) { return value == Accelerator::kvm ? "kvm" : "tcg"; }

std::string_view word(Console value) { return std::ranges::find(console_words, value, &ConsoleWord::value)->word; }

std::optional<Console> console_from(std::string_view text) {
  const auto found = std::ranges::find(console_words, text, &ConsoleWord::word);
  return found == console_words.end() ? std::nullopt : std::optional(found->value);
}

std::optional<PortForward> port_forward_from(std::string_view word) {
  const auto parts = base::split(word, ':');
  if (parts.size() != 2) return std::nullopt;
  const auto host = port_from(parts[0]), guest = port_from(parts[1]);
  return host && guest ? std::optional(PortForward{*host, *guest}) : std::nullopt;
}

}  // namespace hrvm::launch
