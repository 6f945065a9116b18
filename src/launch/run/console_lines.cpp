#include "launch/run/console_lines.hpp"

#include <utility>

namespace hrvm::launch {

namespace {

constexpr char bell = '\a', escape = '\x1b', del = '\x7f';

bool contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// What follows ESC and opens a string that runs to BEL or ESC \: DCS, SOS, OSC, PM, APC.
bool opens_string(char c) { return contains("PX]^_", c); }
bool ends_sequence(char c) { return c >= '@' && c <= '~'; }
// CUP, HVP and ED put the cursor somewhere else.
bool moves_cursor(char final) { return contains("HfJ", final); }
bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == del; }

}  // namespace

std::vector<std::string> ConsoleLines::feed(std::string_view bytes) {
  for (const char c : bytes) take(c);
  return std::exchange(ended_, {});
}

void ConsoleLines::take(char c) {
  // A line end is one wherever it stands, so that a sequence cut short does not swallow what follows.
  if (c == '\n' || c == '\r') return end_line();
  switch (state_) {
    case State::text:
      return take_text(c);
    case State::escape:
      state_ = c == '[' ? State::sequence : opens_string(c) ? State::string : State::text;
      return;
    case State::sequence:
      if (!ends_sequence(c)) return;
      if (moves_cursor(c)) return end_line();
      state_ = State::text;
      return;
    case State::string:
      if (c == bell) state_ = State::text;
      if (c == escape) state_ = State::string_escape;
      return;
    case State::string_escape:
      state_ = c == '\\' ? State::text : State::string;
      return;
  }
}

void ConsoleLines::take_text(char c) {
  if (c == escape) {
    state_ = State::escape;
  } else if (!is_control(c) && line_.size() < longest_line) {
    line_ += c;
  }
}

void ConsoleLines::end_line() {
  state_ = State::text;
  if (!line_.empty()) ended_.push_back(std::exchange(line_, {}));
}

}  // namespace hrvm::launch
