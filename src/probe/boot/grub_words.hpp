// The words of GRUB's shell (GRUB manual, "Writing full configuration files directly"): quotes, escapes, variables,
// comments. Variables are expanded later, as their values change from command to command.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::probe {

using GrubVariables = std::map<std::string, std::string, std::less<>>;

struct GrubToken {
  enum class Kind { word, separator, open, close, end };
  struct Part {
    std::string text;  // as it is, or a variable's name
    bool is_variable = false;
  };
  Kind kind = Kind::end;
  std::vector<Part> parts;
  bool is_quoted = false;

  // A bare word, which alone can be a keyword; empty for others.
  std::string_view bare() const;
};

class GrubLexer {
 public:
  explicit GrubLexer(std::string_view text) : text_(text) {}
  GrubToken next();

 private:
  bool at_end() const { return at_ == text_.size(); }
  void skip_blanks();
  GrubToken read_word();
  void read_piece(GrubToken& word);
  void read_single_quoted(GrubToken& word);
  void read_double_quoted(GrubToken& word);
  void read_escaped(GrubToken& word);
  void read_variable(GrubToken& word);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace hrvm::probe
