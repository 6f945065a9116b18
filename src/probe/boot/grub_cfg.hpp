// grub.cfg as GRUB's shell would run it, as far as it decides what the menu offers: variables, conditions, `search`,
// `load_env`, loops over words, menu entries and submenus. Functions and other loops are passed over: no grub-mkconfig
// puts entries into them.
//
// Bounded: at most 32 levels, 8192 entries, 8 KiB for a word, 4096 variables. What goes beyond is Error{corrupt}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/boot/boot_entry.hpp"
#include "probe/boot/grub_words.hpp"

namespace hrvm::probe {

struct GrubItem {
  enum class Kind {
    entry,
    submenu,
    bls,  // here stand the entries of the Boot Loader Specification (`blscfg`)
  };
  Kind kind = Kind::entry;
  BootEntry entry;              // of a submenu, title and id alone
  std::vector<GrubItem> items;  // of a submenu
};

struct GrubFile {
  std::string volume, path;  // as in BootEntry
};

struct GrubMenu {
  std::vector<GrubItem> items;
  GrubVariables variables;       // at the end: `default`, and what entries elsewhere refer to
  std::optional<GrubFile> next;  // the file that `configfile` goes on with
};

// `environment` is what grubenv holds, nullopt where there is no such file.
GrubMenu read_grub_cfg(std::string_view text, const std::optional<GrubVariables>& environment);

// The entries in their order, the one that `selector` chooses marked: an id, a title or a number, and those of submenus
// before it, parted by ">". The first entry where it chooses none.
std::vector<BootEntry> flatten(const std::vector<GrubItem>& items, std::string_view selector);

}  // namespace hrvm::probe
