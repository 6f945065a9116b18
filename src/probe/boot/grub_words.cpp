#include "probe/boot/grub_words.hpp"

#include <algorithm>
#include <cctype>

namespace hrvm::probe {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_separator(char c) { return c == '\n' || c == ';' || c == '&' || c == '|'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

void append(GrubToken& word, char c) {
  if (word.parts.empty() || word.parts.back().is_variable) word.parts.push_back({});
  word.parts.back().text += c;
}

}  // namespace

std::string_view GrubToken::bare() const {
  const bool is_plain = kind == Kind::word && !is_quoted && parts.size() == 1 && !parts.front().is_variable;
  return is_plain ? std::string_view(parts.front().text) : std::string_view();
}

void GrubLexer::skip_blanks() {
  while (!at_end()) {
    if (is_blank(text_[at_]))
      ++at_;
    else if (text_.substr(at_, 2) == "\\\n")
      at_ += 2;
    else if (text_[at_] == '#')
      at_ = std::min(text_.find('\n', at_), text_.size());
    else
      return;
  }
}

GrubToken GrubLexer::next() {
  skip_blanks();
  if (at_end()) return {};
  if (is_separator(text_[at_])) {
    ++at_;
    return {GrubToken::Kind::separator, {}, false};
  }
  GrubToken word = read_word();
  if (word.bare() == "{") return {GrubToken::Kind::open, {}, false};
  if (word.bare() == "}") return {GrubToken::Kind::close, {}, false};
  return word;
}

GrubToken GrubLexer::read_word() {
  GrubToken word{GrubToken::Kind::word, {}, false};
  while (!at_end() && !is_blank(text_[at_]) && !is_separator(text_[at_])) read_piece(word);
  return word;
}

void GrubLexer::read_piece(GrubToken& word) {
  const char c = text_[at_];
  if (c == '\'')
    read_single_quoted(word);
  else if (c == '"')
    read_double_quoted(word);
  else if (c == '\\')
    read_escaped(word);
  else if (c == '$')
    read_variable(word);
  else
    append(word, text_[at_++]);
}

void GrubLexer::read_single_quoted(GrubToken& word) {
  word.is_quoted = true;
  for (++at_; !at_end() && text_[at_] != '\''; ++at_) append(word, text_[at_]);
  if (!at_end()) ++at_;
}

void GrubLexer::read_double_quoted(GrubToken& word) {
  word.is_quoted = true;
  ++at_;
  while (!at_end() && text_[at_] != '"') {
    const bool escapes = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                         std::string_view("\"\\$\n").find(text_[at_ + 1]) != std::string_view::npos;
    if (text_[at_] == '$')
      read_variable(word);
    else if (escapes)
      read_escaped(word);
    else
      append(word, text_[at_++]);
  }
  if (!at_end()) ++at_;
}

void GrubLexer::read_escaped(GrubToken& word) {
  ++at_;
  if (at_end()) return;
  if (text_[at_] != '\n') append(word, text_[at_]);
  word.is_quoted = true;
  ++at_;
}

// "$name", "${name}"; a "$" before anything else stands for itself.
void GrubLexer::read_variable(GrubToken& word) {
  const bool braced = text_.substr(at_, 2) == "${";
  const std::size_t start = at_ + (braced ? 2 : 1);
  std::size_t end = start;
  while (end < text_.size() && is_name(text_[end])) ++end;
  const bool closed = !braced || (end < text_.size() && text_[end] == '}');
  if (end == start || !closed) return append(word, text_[at_++]);
  word.parts.push_back({std::string(text_.substr(start, end - start)), true});
  at_ = end + (braced ? 1 : 0);
}

}  // namespace hrvm::probe
