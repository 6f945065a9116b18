// Overlays of folders (overlayfs): one folder to be seen, made of read-only ones below and one above that takes every
// change. What is mounted here is mounted for one process and its children alone, and is gone with them, also after a
// kill -9. A folder can be mounted so as it is, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "hrvm/sys/tree.hpp"

namespace hrvm::sys {

struct OverlayMount {
  std::vector<Path> lowers;  // the topmost first
  Path upper, work;          // on one filesystem
  Path mount_point;

  // What mount(8) takes behind -o. Only features that a stack can be rebuilt under are used: a folder from below is not
  // renamed but copied by who moves it (EXDEV), and no file refers to another layer.
  std::string options() const;
};

// Starts the command in a mount namespace of its own, in a session of its own, with the overlay mounted there. Its
// standard output and error are `words`. Throws what keeps it from starting.
Child spawn_in_overlay(Runner& runner, const Command& command, const OverlayMount& overlay, int words);

// One folder under another name, without what is mounted below it; no device node in it can be opened.
struct BindMount {
  Path source, mount_point;
  bool is_writable = false;
};
// As spawn_in_overlay.
Child spawn_in_bind_mount(Runner& runner, const Command& command, const BindMount& bind, int words);

// What stands in an upper folder for something below that was deleted.
bool is_whiteout(const FileStatus& status);
// Whether nothing of what lies below a folder is seen in it.
bool is_opaque(const Path& folder);
bool is_opaque(const Tree& tree, std::string_view folder);
// Of which file below this one in an upper folder is a copy, by its Tree::handle; nullopt where it is none.
std::optional<std::string> origin(const Tree& tree, std::string_view file);
void set_opaque(const Path& folder);

// A folder with the owner, mode, access lists and labels of another.
void make_folder_like(const Path& folder, const Path& model);

// link(2) alone, whatever it is. The caller syncs what must be durable, as it alone knows when.
void link_entry(const Path& from, const Path& to);
void set_modified(const Path& path, std::chrono::sys_time<std::chrono::nanoseconds> time);
// All that was written to the filesystem of this folder is on the medium.
void sync_filesystem(const Path& folder);

}  // namespace hrvm::sys
