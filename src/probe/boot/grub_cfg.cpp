#include "probe/boot/grub_cfg.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/grub_test.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;
using Kind = GrubToken::Kind;
using Words = std::vector<std::string>;
using Arguments = std::span<const std::string>;

constexpr unsigned deepest = 32;
constexpr std::size_t most_variables = 4096, most_expanded = 16 << 20, most_rounds = 1024;

// What grub-mkconfig's files ask for before they use it.
constexpr std::pair<std::string_view, std::string_view> features[] = {
    {"feature_menuentry_id", "y"},      {"feature_platform_search_hint", "y"}, {"feature_timeout_style", "y"},
    {"feature_default_font_path", "y"}, {"feature_chainloader_bpb", "y"},      {"feature_ntldr", "y"},
    {"feature_nativedisk_cmd", "y"},    {"feature_all_video_module", "y"},     {"feature_200_final", "y"},
    {"prefix", "/boot/grub"},
};

Error too_much(std::string_view what) {
  return Error(ErrorKind::corrupt, "grub.cfg makes no sense: there are too many " + std::string(what));
}

class Script {
 public:
  Script(std::string_view text, const std::optional<GrubVariables>& environment)
      : lexer_(text), environment_(environment), items_(&menu_.items) {
    for (const auto& [name, value] : features) set(std::string(name), std::string(value));
  }

  GrubMenu run() && {
    while (block(true) != Ending::file) {
    }
    menu_.variables = std::move(variables_);
    return std::move(menu_);
  }

 private:
  enum class Ending { file, brace, fi, other_branch, elif, then, done, loop };
  struct Word {
    std::string_view name;
    Ending ending;
  };
  static constexpr Word endings[] = {{"fi", Ending::fi},     {"else", Ending::other_branch}, {"elif", Ending::elif},
                                     {"then", Ending::then}, {"done", Ending::done},         {"do", Ending::loop}};

  struct Command {
    std::string_view name;
    void (Script::*run)(Arguments arguments);
  };
  static const Command commands[];

  // ---- words ----

  std::string expand(const GrubToken& token) {
    std::string text;
    for (const auto& part : token.parts) {
      if (!part.is_variable)
        text += part.text;
      else if (const auto found = variables_.find(part.text); found != variables_.end())
        text += found->second;
      if (text.size() > longest_text) throw too_much("letters in a word");
    }
    if ((expanded_ += text.size()) > most_expanded) throw too_much("variables to replace");
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

  void set(std::string name, std::string value) {
    if (variables_.size() >= most_variables && !variables_.contains(name)) throw too_much("variables");
    variables_.insert_or_assign(std::move(name), std::move(value));
  }

  std::string value(std::string_view name) const {
    const auto found = variables_.find(name);
    return found == variables_.end() ? std::string() : found->second;
  }

  // ---- structure ----

  // Commands up to what ends the block that they stand in.
  Ending block(bool active) {
    if (++depth_ > deepest) throw too_much("levels");
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
    if (active && !words.empty()) run_command(words);
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
      if (token.kind == Kind::word) holds = evaluate(words_from(token, active));
      if (ended_) return ending = Ending::file, false;
    }
  }

  bool evaluate(Arguments words) const {
    const auto is_file = [this](const std::string& path) { return environment_ && path.ends_with("/grubenv"); };
    if (words.size() >= 2 && words.front() == "[" && words.back() == "]")
      return grub_test(words.subspan(1, words.size() - 2), is_file);
    if (!words.empty() && words.front() == "test") return grub_test(words.subspan(1), is_file);
    return words.size() == 1 && words.front() == "true";
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
      if (++rounds_ > most_rounds) throw too_much("rounds of a loop");
      lexer_ = body;
      set(words[0], words[i]);
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
    if (active && entry_ == nullptr && (is_submenu || is_entry)) return add_item(words, is_submenu);
    return skip_to_brace(active && !is_submenu && !is_entry);
  }

  std::optional<Ending> skip_to_brace(bool active) {
    for (;;) {
      const Ending ending = block(active);
      if (ending == Ending::file) return ending;
      if (ending == Ending::brace) return std::nullopt;
    }
  }

  // ---- menu ----

  std::optional<Ending> add_item(const Words& words, bool is_submenu) {
    if (++entries_ > most_entries) throw too_much("entries");
    items_->push_back({is_submenu ? GrubItem::Kind::submenu : GrubItem::Kind::entry, described(words)});
    GrubItem& item = items_->back();
    const auto outer_items = is_submenu ? std::exchange(items_, &item.items) : items_;
    const auto outer_entry = std::exchange(entry_, is_submenu ? nullptr : &item.entry);
    const std::string root = value("root");
    const auto ending = skip_to_brace(true);
    set("root", root);
    entry_ = outer_entry;
    items_ = outer_items;
    return ending;
  }

  // menuentry TITLE [--class C]… [--users U] [--hotkey K] [--id ID | $menuentry_id_option ID] [--unrestricted]
  static BootEntry described(const Words& words) {
    BootEntry entry;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "--unrestricted") continue;
      if (words[i].starts_with("--id=")) entry.id = words[i].substr(5);
      if (words[i] == "--id" && i + 1 < words.size()) entry.id = words[i + 1];
      if (words[i].starts_with("--"))
        i += words[i].find('=') == std::string::npos ? 1 : 0;
      else if (entry.title.empty())
        entry.title = words[i];
    }
    return entry;
  }

  // ---- commands ----

  void run_command(const Words& words);

  void run_set(Arguments arguments) {
    if (arguments.empty()) return;
    const auto equals = arguments[0].find('=');
    if (equals != std::string::npos) set(arguments[0].substr(0, equals), arguments[0].substr(equals + 1));
  }

  void run_unset(Arguments arguments) {
    for (const std::string& name : arguments) variables_.erase(name);
  }

  void run_load_env(Arguments) {
    if (environment_)
      for (const auto& [name, text] : *environment_) set(name, text);
  }

  // search [--no-floppy] [--hint…=…] --fs-uuid|--label [--set[=VARIABLE]] NAME
  void run_search(Arguments arguments) {
    std::string variable = "root", kind = "file", name;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::string& word = arguments[i];
      if (word == "--fs-uuid" || word == "-u")
        kind = "uuid";
      else if (word == "--label" || word == "-l")
        kind = "label";
      else if (word.starts_with("--set="))
        variable = word.substr(6);
      else if (word == "--hint" || word == "-h")
        ++i;
      else if (word.starts_with("--fs-uuid="))
        kind = "uuid", name = word.substr(10);
      else if (!word.starts_with("-") && name.empty())
        name = word;
    }
    found(variable, kind, name);
  }

  void run_search_uuid(Arguments arguments) { search_for("uuid", arguments); }
  void run_search_label(Arguments arguments) { search_for("label", arguments); }

  // search.fs_uuid NAME [VARIABLE [HINTS…]]
  void search_for(const std::string& kind, Arguments arguments) {
    if (!arguments.empty()) found(arguments.size() > 1 ? arguments[1] : "root", kind, arguments[0]);
  }

  // What a search for a file would find is not known here: the variable keeps what it has.
  void found(const std::string& variable, const std::string& kind, const std::string& name) {
    if (kind != "file" && !name.empty()) set(variable, kind + "/" + name);
  }

  // "hd0,gpt3", "hd0,msdos3", "hd0,3": the disk that GRUB started from comes first.
  static std::string place_of(std::string_view device) {
    if (!device.starts_with("hd0,")) return {};
    device.remove_prefix(std::min(device.find_first_of("0123456789", 4), device.size()));
    const auto number = base::parse_unsigned(device);
    return number ? "place/p" + std::to_string(*number) : std::string();
  }

  // Where a path without a device lies: on the root that is set, where it is known by what it holds.
  GrubFile locate(std::string_view path) const {
    auto [device, rest] = split_device(path);
    if (device.empty()) device = value("root");
    const bool is_known = device.starts_with("uuid/") || device.starts_with("label/");
    return {is_known ? device : place_of(device), std::move(rest)};
  }

  void run_configfile(Arguments arguments) {
    if (entry_ == nullptr && !arguments.empty() && !menu_.next) menu_.next = locate(arguments[0]);
  }

  void run_linux(Arguments arguments) {
    if (entry_ == nullptr || arguments.empty()) return;
    GrubFile kernel = locate(arguments[0]);
    entry_->volume = std::move(kernel.volume);
    entry_->kernel = std::move(kernel.path);
    entry_->version = kernel_version(entry_->kernel);
    entry_->command_line = base::join({arguments.begin() + 1, arguments.end()}, " ");
  }

  void run_break(Arguments) { broken_ = loops_ > 0; }

  void run_chainloader(Arguments arguments) {
    if (entry_ == nullptr || arguments.empty() || !entry_->kernel.empty()) return;
    GrubFile program = locate(arguments.back());
    if (!base::lower(program.path).ends_with(".efi")) return;
    entry_->volume = std::move(program.volume);
    entry_->kernel = std::move(program.path);
    entry_->is_chained = true;
  }

  void run_initrd(Arguments arguments) {
    if (entry_ == nullptr) return;
    for (const std::string& path : arguments) entry_->initramfs.push_back(locate(path).path);
  }

  void run_blscfg(Arguments) {
    if (entry_ != nullptr) return;
    if (++entries_ > most_entries) throw too_much("entries");
    items_->push_back({GrubItem::Kind::bls, {}});
  }

  GrubLexer lexer_;
  const std::optional<GrubVariables>& environment_;
  GrubVariables variables_;
  GrubMenu menu_;
  std::vector<GrubItem>* items_;
  BootEntry* entry_ = nullptr;
  unsigned depth_ = 0;
  unsigned loops_ = 0;  // around what runs
  std::size_t entries_ = 0, expanded_ = 0, rounds_ = 0;
  bool broken_ = false;                                   // the loop ends, and nothing up to its end is run
  bool opened_ = false, closed_ = false, ended_ = false;  // by what the last command ended
};

constexpr Script::Command Script::commands[] = {
    {"set", &Script::run_set},
    {"unset", &Script::run_unset},
    {"load_env", &Script::run_load_env},
    {"search", &Script::run_search},
    {"search.fs_uuid", &Script::run_search_uuid},
    {"search.fs_label", &Script::run_search_label},
    {"configfile", &Script::run_configfile},
    {"source", &Script::run_configfile},
    {"linux", &Script::run_linux},
    {"linux16", &Script::run_linux},
    {"linuxefi", &Script::run_linux},
    {"initrd", &Script::run_initrd},
    {"initrd16", &Script::run_initrd},
    {"initrdefi", &Script::run_initrd},
    {"chainloader", &Script::run_chainloader},
    {"blscfg", &Script::run_blscfg},
    {"break", &Script::run_break},
};

void Script::run_command(const Words& words) {
  const std::string& name = words.front();
  if (const auto equals = name.find('='); equals != std::string::npos && equals > 0)
    return set(name.substr(0, equals), name.substr(equals + 1));
  for (const Command& known : commands)
    if (name == known.name) return (this->*known.run)(Arguments(words).subspan(1));
}

}  // namespace

GrubMenu read_grub_cfg(std::string_view text, const std::optional<GrubVariables>& environment) {
  return Script(text, environment).run();
}

GrubVariables parse_grubenv(std::string_view text) {
  GrubVariables variables;
  for (std::string_view line : base::lines(text)) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos || variables.size() >= most_variables) continue;
    std::string value;
    for (std::size_t i = equals + 1; i < line.size(); ++i)
      value += line[i] == '\\' && i + 1 < line.size() ? line[++i] : line[i];
    variables.insert_or_assign(std::string(line.substr(0, equals)), std::move(value));
  }
  return variables;
}

std::string expand_variables(std::string_view text, const GrubVariables& variables) {
  constexpr std::string_view name_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  std::string expanded;
  while (!text.empty() && expanded.size() < longest_text) {
    const auto dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(std::min(dollar + 1, text.size()));
    const bool braced = text.starts_with('{');
    if (braced) text.remove_prefix(1);
    const auto end = std::min(text.find_first_not_of(name_letters), text.size());
    if (const auto found = variables.find(text.substr(0, end)); found != variables.end()) expanded += found->second;
    text.remove_prefix(std::min(end + (braced ? 1 : 0), text.size()));
  }
  return expanded.substr(0, longest_text);
}

}  // namespace hrvm::probe
