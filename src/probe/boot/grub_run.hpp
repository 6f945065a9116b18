// What the commands of a grub.cfg do: to variables, and to the menu that comes of them. Which of them are run, and in
// what order, grub_cfg.cpp decides.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "probe/boot/grub_cfg.hpp"

namespace hrvm::probe {

// Error{corrupt}, for what no menu has that many of.
base::Error too_much_in_grub_cfg(std::string_view what);

class GrubRun {
 public:
  // `environment` must outlive this.
  explicit GrubRun(const std::optional<GrubVariables>& environment);
  GrubRun(const GrubRun&) = delete;  // it points into its menu

  const GrubVariables& variables() const { return variables_; }
  void set(std::string name, std::string value);

  // A command and its arguments, at least the first; one that is not known does nothing.
  void command(std::span<const std::string> words);
  // What `[ … ]`, `test …` or `true` says; false for all others.
  bool holds(std::span<const std::string> words) const;

  // The body of a menuentry or submenu, of which the words are given, is run between these two.
  struct Outside {
    std::vector<GrubItem>* items;
    BootEntry* entry;
    std::string root;
  };
  Outside enter(std::span<const std::string> words, bool is_submenu);
  void leave(Outside outside);
  bool is_in_entry() const { return entry_ != nullptr; }

  GrubMenu menu() &&;

 private:
  using Arguments = std::span<const std::string>;
  struct Command {
    std::string_view name;
    void (GrubRun::*run)(Arguments arguments);
  };
  static const Command commands[];

  std::string value(std::string_view name) const;
  void count_entry();
  GrubFile locate(std::string_view path) const;
  void found(const std::string& variable, const std::string& kind, const std::string& name);
  void search_for(const std::string& kind, Arguments arguments);

  void run_set(Arguments arguments);
  void run_unset(Arguments arguments);
  void run_load_env(Arguments arguments);
  void run_search(Arguments arguments);
  void run_search_uuid(Arguments arguments);
  void run_search_label(Arguments arguments);
  void run_configfile(Arguments arguments);
  void run_linux(Arguments arguments);
  void run_chainloader(Arguments arguments);
  void run_initrd(Arguments arguments);
  void run_blscfg(Arguments arguments);

  const std::optional<GrubVariables>& environment_;
  GrubVariables variables_;
  GrubMenu menu_;
  std::vector<GrubItem>* items_;
  BootEntry* entry_ = nullptr;
  std::size_t entries_ = 0;
};

}  // namespace hrvm::probe
