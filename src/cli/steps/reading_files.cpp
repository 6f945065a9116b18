#include "cli/steps/reading_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "cli/messages.hpp"
#include "cli/steps/open_source.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::cli {
namespace {

constexpr std::size_t read_at_once = 256 << 10;

using base::Error;
using base::ErrorKind;
using base::Json;

// ---- in the child ----

std::string header_of(const probe::OpenFiles& open) {
  Json mounts = Json::array();
  for (const auto& mount : open.mounts)
    mounts.push(Json::object().set("point", mount.point).set("source", mount.source));
  Json json;
  json.set("volume", open.volume).set("type", open.files.type()).set("state", word_of(open.files.journal()));
  return base::to_text(json.set("mounts", std::move(mounts)), -1);
}

// As POSIX has it: "/etc/fstab/" names a folder, or nothing.
void check_is_folder_where_meant(fs::FileSystem& files, const std::string& path, const FilePlace& place) {
  if (!place.path.ends_with('/')) return;
  const auto info = files.info(path);
  if (path.empty() || !info || info->kind == fs::FileKind::directory) return;
  throw Error(ErrorKind::not_found, fmt::format("{} is no folder", base::printable(place.path)))
      .hint("leave out the slash at its end");
}

void read_open(const probe::OpenFiles& open, const FilePlace& place, const FilesReader& read,
               const sys::PartWriter& write) {
  write(header_of(open));
  const auto path = fs::resolve(open.files, place.path);
  if (!path)
    throw Error(ErrorKind::not_found,
                fmt::format("there is no {} in {}", base::printable(place.path), base::printable(place.what)))
        .hint(fmt::format("that is in {}; another volume is named before the path: {}:VOLUME:{}", open.volume,
                          place.what, base::printable(place.path)));
  check_is_folder_where_meant(open.files, *path, place);
  read(open.files, *path, write);
}

void read_source(const Source& source, const FilePlace& place, const FilesReader& read, const sys::PartWriter& write) {
  const auto use = [&](const probe::OpenFiles& open) { read_open(open, place, read, write); };
  if (source.folder_files) {
    if (!place.volume.empty())
      throw Error(ErrorKind::not_found, "a folder has no volumes").hint("leave the volume out");
    return use({*source.folder_files, "folder", {}});
  }
  std::vector<block::BlockDevice*> others;
  for (std::size_t i = 1; i < source.disks.size(); ++i) others.push_back(source.disks[i].get());
  probe::with_files(*source.disks.front(), others, place.volume, use);
}

// ---- what it answers ----

ReadFiles read_header(std::string_view text, const FilePlace& place) {
  const auto json = base::parse_json(text, "the answer");
  const auto text_of = [&](std::string_view member) { return base::printable(json[member].text().value_or("")); };
  return {place.what, text_of("volume"), text_of("type"), text_of("state"), json["mounts"]};
}

void tell_ignored_journal(const Context& context, const ReadFiles& read) {
  if (read.state == word_of(fs::JournalState::ignored))
    context.warn(
        fmt::format("the journal of {} in {} was not replayed: what is read may be older than what a mount "
                    "shows; shut the guest down, or boot a snapshot of it once with --ephemeral",
                    read.volume, read.what));
}

}  // namespace

std::string_view word_of(fs::JournalState state) {
  constexpr std::string_view words[] = {"clean", "replayed", "journal-ignored"};
  return words[std::size_t(state)];
}

void send_contents(fs::FileSystem& files, const std::string& path, const sys::PartWriter& write) {
  const auto node = fs::find(files, path);
  const auto stat = node ? std::optional(files.stat(*node)) : std::nullopt;
  if (!stat || stat->kind != fs::FileKind::regular)
    throw Error(ErrorKind::unsupported,
                fmt::format("{} is {}", base::printable(path),
                            stat && stat->kind == fs::FileKind::directory ? "a folder" : "no regular file"))
        .hint("hrvm ls lists a folder, and hrvm cp -r copies it");
  std::vector<std::byte> buffer(read_at_once);
  for (std::uint64_t offset = 0;;) {
    const auto count = files.read(*node, offset, buffer);
    if (count == 0) return;
    write({reinterpret_cast<const char*>(buffer.data()), count});
    offset += count;
  }
}

// A terminal is told what a control character is, and does not obey it.
std::string for_terminal(std::string_view text) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of("\n\t", at), text.size());
    shown += base::printable(text.substr(at, end - at));
    if (end < text.size()) shown += text[end];
    at = end + 1;
  }
  return shown;
}

FilePlace named_files(const Context& context, const std::string& word) {
  return file_place(word, [&](const std::string& what) { return is_machine(context, what) || is_path(context, what); });
}

ReadFiles read_files(const Context& context, const FilePlace& place, const FilesReader& read,
                     const sys::PartReceiver& take) {
  return read_files(context, open_what(context, place.what), place, read, take);
}

ReadFiles read_files(const Context& context, const Source& source, const FilePlace& place, const FilesReader& read,
                     const sys::PartReceiver& take) {
  sys::Confinement limits;
  limits.time = std::chrono::hours(24);
  limits.folders = source.folders;
  std::optional<ReadFiles> result;
  const auto take_part = [&](std::string_view part) {
    if (result) return take(part);
    result = read_header(part, place);
    tell_ignored_journal(context, *result);
  };
  const auto answer = sys::run_confined_stream(
      [&](const sys::PartWriter& write) { read_source(source, place, read, write); }, take_part, limits);
  if (answer.text && result) return *std::move(result);
  throw Error(ErrorKind::corrupt,
              fmt::format("{} cannot be read: its reader {}", place.what, answer.text ? "said nothing" : answer.death))
      .on(place.what)
      .hint("it may be damaged, or made to break what reads it; please report it");
}

std::vector<std::string> disks_read(const Context& context, const FilePlace& place) {
  if (!is_machine(context, place.what)) return {probe::locate_disk(context.host, place.what).path};
  std::vector<std::string> paths;
  for (const auto& base : open_store(context).load(named_machine(place.what).machine).definition.disks)
    if (!base.is_empty()) paths.push_back(base.path);
  return paths;
}

Option force_reading_option() {
  return {.name = "--force", .help = "read although the disk has changed under the machine"};
}

}  // namespace hrvm::cli
