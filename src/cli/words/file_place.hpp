// A file inside of something: WHAT:[VOLUME:]/PATH, where WHAT is a machine, a snapshot, a disk, an image or a folder.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hrvm::cli {

struct FilePlace {
  std::string what;    // "web", "web@fresh", "/dev/sda"
  std::string volume;  // "p3", "pve/root"; empty: none is named
  std::string path;    // absolute
};

// The path begins with the first "/" behind a ":"; without one it is "/". What stands before it is a volume where the
// rest of it is known by `is_there`, and the longest such rest is meant: names of snapshots and disks have colons as
// well. Error{not_found} where nothing of it is there.
FilePlace file_place(std::string_view word, const std::function<bool(const std::string& what)>& is_there);

}  // namespace hrvm::cli
