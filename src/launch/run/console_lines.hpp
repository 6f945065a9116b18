// ConsoleLines: what a guest prints on its serial line, as lines of text. Escape sequences (ECMA-48) and control
// characters are taken out; a carriage return and a cursor that is put somewhere end a line, as a line feed does. Of a
// line more than 4 KiB is dropped, so that no guest can make it grow.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hrvm::launch {

class ConsoleLines {
 public:
  static constexpr std::size_t longest_line = 4096;

  // The lines that ended in these bytes; empty ones are left out.
  std::vector<std::string> feed(std::string_view bytes);
  // The line that has not ended: a prompt, say.
  const std::string& unfinished() const { return line_; }

 private:
  enum class State { text, escape, sequence, string, string_escape };
  void take(char c);
  void take_text(char c);
  void end_line();
  State state_ = State::text;
  std::string line_;
  std::vector<std::string> ended_;
};

}  // namespace hrvm::launch
