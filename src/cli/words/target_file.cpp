#include "cli/words/target_file.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using sys::FileType;

// AtomicFile renames over its target, and a rename over a link would leave what it leads to as it is.
sys::Path behind_links(const sys::Path& path) {
  const bool leads_somewhere =
      sys::link_status(path).type == FileType::symlink && sys::status(path).type != FileType::missing;
  return leads_somewhere ? sys::canonical(path) : path;
}

void check_type(const sys::Path& path) {
  const auto type = sys::link_status(path).type;
  if (type == FileType::missing || type == FileType::regular) return;
  const bool folder = type == FileType::directory;
  throw Error(ErrorKind::unsupported, fmt::format("{} is {}", path.string(), folder ? "a folder" : "no regular file"))
      .on(path)
      .hint(folder ? "name a file in it" : "name a file that is not there yet");
}

void check_folder(const sys::Path& path) {
  const auto folder = path.parent_path();
  if (sys::status(folder).type == FileType::directory) return;
  throw Error(ErrorKind::not_found, fmt::format("there is no folder {}", folder.string())).on(path);
}

void check_outside_store(const sys::Path& path, const machine::Store& store) {
  const bool is_there = sys::status(store.folder()).type == FileType::directory;
  if (!is_there) return;
  if (!sys::lies_in(sys::canonical(path.parent_path()).string(), sys::canonical(store.folder()).string())) return;
  throw Error(ErrorKind::refused, fmt::format("{} lies in the store of machines", path.string()))
      .on(path)
      .hint("name a file elsewhere; there is no option that allows this");
}

// A definition that cannot be read names no base that could be known.
std::vector<std::string> base_files(const machine::Store& store, const std::string& machine) {
  try {
    const auto definition = store.load(machine).definition;
    std::vector<std::string> files;
    for (const auto& disk : definition.disks)
      for (auto& file : machine::base_files(disk)) files.push_back(std::move(file));
    return files;
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

void check_takes_bytes(const Context& context, std::string_view what) {
  if (!context.host.streams.out_is_terminal) return;
  throw Error(ErrorKind::usage, fmt::format("{} is not written to a terminal", what))
      .hint("send it on, as in \"… - | ssh HOST 'cat > FILE'\", or name a file");
}

void check_is_not_on(const Context& context, const TargetFile& target, const std::string& disk) {
  const auto disks = probe::disks_under(context.host, target.path.parent_path());
  if (std::find(disks.begin(), disks.end(), disk) == disks.end()) return;
  throw Error(ErrorKind::refused, fmt::format("{} lies on {}, the disk that is read: writing it would change the disk",
                                              target.path.string(), disk))
      .on(target.path)
      .hint("name a file on another disk; there is no option that allows this");
}

void check_is_no_base(const sys::Path& path, const machine::Store& store) {
  for (const auto& name : store.names())
    for (const auto& file : base_files(store, name))
      if (sys::is_same_file(path, file))
        throw Error(ErrorKind::refused, fmt::format("{} is the disk that machine {} is made of", path.string(), name))
            .on(path)
            .hint("name another file; there is no option that allows this");
}

TargetFile target_file(const std::string& word, const machine::Store& store, std::optional<bool> force) {
  if (word.empty()) throw Error(ErrorKind::usage, "the name of the file to write is empty");
  const auto path = behind_links(sys::absolute(word));
  check_type(path);
  check_folder(path);
  check_outside_store(path, store);
  check_is_no_base(path, store);
  const bool replaces = sys::link_status(path).type == FileType::regular;
  if (!replaces || force.value_or(false)) return {path, replaces};
  throw Error(ErrorKind::exists, fmt::format("{} is there already", path.string()))
      .on(path)
      .hint(force ? "name another file, or add --force to replace this one" : "name another file: this one stays");
}

}  // namespace hrvm::cli
