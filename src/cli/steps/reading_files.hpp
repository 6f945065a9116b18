// Files out of a machine, a snapshot, a disk or a folder, read in a confined child while nothing is mounted.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/steps/open_source.hpp"
#include "cli/words/file_place.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/probe/open_files.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::cli {

// What the first word of such a command says.
FilePlace named_files(const Context& context, const std::string& word);

// "clean", "replayed", "journal-ignored".
std::string_view word_of(fs::JournalState state);

// Whose files were read.
struct ReadFiles {
  std::string what, volume, type;
  std::string state;  // of its journal
  base::Json mounts;
};

// Calls `read` in the child, with the place's path as far as its links lead, and `take` with what it writes. A journal
// that was not replayed, and a guest that writes at this moment, are told. Error{not_found} where the path leads
// nowhere; what machines, disks and volumes give; Error{corrupt} where the child dies.
using FilesReader = std::function<void(fs::FileSystem& files, const std::string& path, const sys::PartWriter& write)>;
ReadFiles read_files(const Context& context, const FilePlace& place, const FilesReader& read,
                     const sys::PartReceiver& take);

ReadFiles read_files(const Context& context, const Source& source, const FilePlace& place, const FilesReader& read,
                     const sys::PartReceiver& take);

// A FilesReader: what is in a file. Error{unsupported} for what is no regular file.
void send_contents(fs::FileSystem& files, const std::string& path, const sys::PartWriter& write);
// A terminal is told what a control character is, and does not obey it.
std::string for_terminal(std::string_view text);

// What must not be written to meanwhile, as it is read: paths of disks, images and folders.
std::vector<std::string> disks_read(const Context& context, const FilePlace& place);

Option force_reading_option();

}  // namespace hrvm::cli
