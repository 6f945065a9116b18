#include "probe/boot/grub_cfg.hpp"

#include <cstddef>

#include "hrvm/base/text.hpp"
#include "probe/boot/grub_run.hpp"

namespace hrvm::probe {
namespace {

using Kind = GrubToken::Kind;
using Words = std::vector<std::string>;

constexpr unsigned deepest = 32;
constexpr std::size_t most_expanded = 16 << 20, most_rounds = 1024;

// The grammar of GRUB's shell: which commands are run, of all that stand there.
class Script {
 public:
  Script(std::string_view text, const std::optional<GrubVariables>& environment) : lexer_(text), run_(environment) {}

  GrubMenu run() && {
    while (block(true) != Ending::file) {
    }
    return std::move(run_).menu();
  }

 private:
  enum class Ending { file, brace, fi, other_branch, elif, then, done, loop };
  struct Word {
    std::string_view name;
    Ending ending;
  };
  static constexpr Word endings[] = {{"fi", Ending::fi},     {"else", Ending::other_branch}, {"elif", Ending::elif},
                                     {"then", Ending::then}, {"done", Ending::done},         {"do", Ending::loop}};

  // ---- words ----

  std::string expand(const GrubToken& token) {
    std::string text;
    for (const auto& part : token.parts) {
      if (!part.is_variable)
        text += part.text;
      else if (const auto found = run_.variables().find(part.text); found != run_.variables().end())
        text += found->second;
      if (text.size() > longest_text) throw too_much_in_grub_cfg("letters in a word");
    }
    if ((expanded_ += text.size()) > most_expanded) throw too_much_in_grub_cfg("variables to replace");
    return text;
  }

  // The rest of a command that begins with `token`. It ends at a separator, which is taken, or before a brace.
  Words words_from(GrubToken token, bool active) {
    Words words;
    for (; token.kind == Kind::word; token = lexer_.next())
      if (active) append(words, token);
    opened_ = token.kind == Kind::open;
    closed_ = token.kind == Kind::close;
    ended_ = token.kind == Kind::end;
    return words;
  }

  // What variables bring falls apart at blanks, unless it is quoted.
  void append(Words& words, const GrubToken& token) {
    const std::string text = expand(token);
    if (token.is_quoted) return words.push_back(text);
    for (std::string_view word : base::split(text, ' '))
      if (!word.empty()) words.emplace_back(word);
  }

  // ---- structure ----

  // Commands up to what ends the block that they stand in.
  Ending block(bool active) {
    if (++depth_ > deepest) throw too_much_in_grub_cfg("levels");
    for (;;) {
      const auto ending = statement(lexer_.next(), active);
      if (!ending) continue;
      --depth_;
      return *ending;
    }
  }

  std::optional<Ending> statement(const GrubToken& first, bool active) {
    active = active && !broken_;
    if (first.kind == Kind::end) return Ending::file;
    if (first.kind == Kind::close) return Ending::brace;
    if (first.kind == Kind::open) return block(active) == Ending::file ? std::optional(Ending::file) : std::nullopt;
    if (first.kind == Kind::separator) return std::nullopt;
    const auto word = first.bare();
    for (const Word& known : endings)
      if (word == known.name) return known.ending;
    if (word == "if") return branches(active);
    if (word == "for") return each_of(active);
    if (word == "while" || word == "until") return loop();
    return command(first, word, active);
  }

  std::optional<Ending> command(const GrubToken& first, std::string_view word, bool active) {
    if (word == "function") active = false;
    const Words words = words_from(first, active);
    if (opened_) return braced(words, active);
    if (active && !words.empty()) run(words);
    if (closed_) return Ending::brace;
    return ended_ ? std::optional(Ending::file) : std::nullopt;
  }

  // The last command before `then` decides.
  bool condition(bool active, Ending& ending) {
    bool holds = false;
    for (;;) {
      const GrubToken token = lexer_.next();
      if (token.kind == Kind::end) return ending = Ending::file, false;
      if (token.bare() == "then") return ending = Ending::then, holds;
      if (token.kind == Kind::word) holds = run_.holds(words_from(token, active));
      if (ended_) return ending = Ending::file, false;
    }
  }

  std::optional<Ending> branches(bool active) {
    bool taken = false;
    for (Ending ending = Ending::elif; ending != Ending::fi;) {
      bool holds = !taken;
      if (ending == Ending::elif) {
        holds = condition(active && !taken, ending) && !taken;
        if (ending == Ending::file) return ending;
      }
      ending = block(active && holds);
      taken = taken || holds;
      if (ending == Ending::file || ending == Ending::brace) return ending;
    }
    return std::nullopt;
  }

  // for NAME in WORDS; do … done: by which RAUC's and others' menus choose a slot.
  std::optional<Ending> each_of(bool active) {
    const Words words = words_from(lexer_.next(), active);
    if (ended_) return Ending::file;
    while (true) {
      const GrubToken token = lexer_.next();
      if (token.kind == Kind::end) return Ending::file;
      if (token.bare() == "do") break;
    }
    const GrubLexer body = lexer_;
    const bool runs = active && words.size() > 2 && words[1] == "in";
    std::optional<Ending> ending;
    for (std::size_t i = 2; runs && i < words.size() && !broken_; ++i) {
      if (++rounds_ > most_rounds) throw too_much_in_grub_cfg("rounds of a loop");
      lexer_ = body;
      run_.set(words[0], words[i]);
      ++loops_;
      ending = body_of_loop(true);
      --loops_;
      if (ending) return ending;
    }
    broken_ = false;
    return runs ? std::nullopt : body_of_loop(false);
  }

  std::optional<Ending> body_of_loop(bool active) {
    for (;;) {
      const Ending ending = block(active);
      if (ending == Ending::done) return std::nullopt;
      if (ending == Ending::file || ending == Ending::brace) return ending;
    }
  }

  std::optional<Ending> loop() {
    for (Ending ending = Ending::loop; ending != Ending::done;) {
      ending = block(false);
      if (ending == Ending::file || ending == Ending::brace) return ending;
    }
    return std::nullopt;
  }

  std::optional<Ending> braced(const Words& words, bool active) {
    const bool is_submenu = !words.empty() && words.front() == "submenu";
    const bool is_entry = !words.empty() && words.front() == "menuentry";
    if (active && !run_.is_in_entry() && (is_submenu || is_entry)) return add_item(words, is_submenu);
    return skip_to_brace(active && !is_submenu && !is_entry);
  }

  std::optional<Ending> skip_to_brace(bool active) {
    for (;;) {
      const Ending ending = block(active);
      if (ending == Ending::file) return ending;
      if (ending == Ending::brace) return std::nullopt;
    }
  }

  std::optional<Ending> add_item(const Words& words, bool is_submenu) {
    const auto outside = run_.enter(words, is_submenu);
    const auto ending = skip_to_brace(true);
    run_.leave(outside);
    return ending;
  }

  void run(const Words& words) {
    if (words.front() == "break")
      broken_ = loops_ > 0;
    else
      run_.command(words);
  }

  GrubLexer lexer_;
  GrubRun run_;
  unsigned depth_ = 0;
  unsigned loops_ = 0;  // around what runs
  std::size_t expanded_ = 0, rounds_ = 0;
  bool broken_ = false;                                   // the loop ends, and nothing up to its end is run
  bool opened_ = false, closed_ = false, ended_ = false;  // by what the last command ended
};

}  // namespace

GrubMenu read_grub_cfg(std::string_view text, const std::optional<GrubVariables>& environment) {
  return Script(text, environment).run();
}

}  // namespace hrvm::probe
