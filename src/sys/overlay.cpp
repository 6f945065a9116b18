#include "hrvm/sys/overlay.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <functional>

#include "hrvm/base/error.hpp"
#include "sys/file_status.hpp"
#include "sys/forked.hpp"

namespace hrvm::sys {

namespace {

constexpr const char *opaque_mark = "trusted.overlay.opaque", *origin_mark = "trusted.overlay.origin";
constexpr std::size_t most_options = 4095;  // mount(2) takes a page of them
constexpr std::size_t largest_attribute = 64 << 10;

// A lower folder's name may hold what separates one from the next, and options from each other.
std::string escaped(const Path& path) {
  std::string text;
  for (const char c : path.string()) {
    if (c == '\\' || c == ':' || c == ',') text += '\\';
    text += c;
  }
  return text;
}

// What is mounted from now on is seen here only.
void leave_mounts_of_others() {
  if (::unshare(CLONE_NEWNS) != 0) throw base::system_error(errno, "make", "a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw base::system_error(errno, "make private", "the mounts");
}

void mount_overlay(const OverlayMount& overlay) {
  const auto options = overlay.options();
  if (options.size() > most_options)
    throw base::Error(base::ErrorKind::unsupported, "too many snapshots lie on each other to be mounted together")
        .hint("delete some of them: hrvm snapshot delete --discard");
  leave_mounts_of_others();
  if (::mount("overlay", overlay.mount_point.c_str(), "overlay", 0, options.c_str()) != 0)
    throw base::system_error(errno, "mount an overlay on", overlay.mount_point);
}

void mount_bind(const BindMount& bind) {
  leave_mounts_of_others();
  if (::mount(bind.source.c_str(), bind.mount_point.c_str(), nullptr, MS_BIND, nullptr) != 0)
    throw base::system_error(errno, "mount", bind.source);
  const unsigned long flags = MS_NODEV | MS_NOSUID | (bind.is_writable ? 0 : MS_RDONLY);
  if (::mount(nullptr, bind.mount_point.c_str(), nullptr, MS_REMOUNT | MS_BIND | flags, nullptr) != 0)
    throw base::system_error(errno, "mount with fewer rights", bind.source);
}

void become(Runner& runner, const Command& command, const std::function<void()>& mount, int words) {
  ::setsid();
  mount();
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(words, stream);
  runner.exec(command);
}

std::vector<std::string> attributes_of(const Path& path) {
  std::vector<char> names(largest_attribute);
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length < 0 && errno != ENOTSUP) throw base::system_error(errno, "list the attributes of", path);
  std::vector<std::string> all;
  for (ssize_t at = 0; at < length; at += ssize_t(all.back().size()) + 1) all.emplace_back(names.data() + at);
  return all;
}

void copy_attributes(const Path& from, const Path& to) {
  std::vector<char> value(largest_attribute);
  for (const auto& name : attributes_of(from)) {
    if (name.starts_with("trusted.overlay.")) continue;
    const ssize_t length = ::lgetxattr(from.c_str(), name.c_str(), value.data(), value.size());
    if (length < 0 || ::lsetxattr(to.c_str(), name.c_str(), value.data(), std::size_t(length), 0) != 0)
      throw base::system_error(errno, "copy the attribute " + name + " to", to);
  }
}

}  // namespace

std::string OverlayMount::options() const {
  std::string stack;
  for (const auto& lower : lowers) stack += (stack.empty() ? "" : ":") + escaped(lower);
  return fmt::format("lowerdir={},upperdir={},workdir={},index=off,metacopy=off,redirect_dir=nofollow,xino=auto", stack,
                     escaped(upper), escaped(work));
}

Child spawn_in_overlay(Runner& runner, const Command& command, const OverlayMount& overlay, int words) {
  const auto mount = [&] { mount_overlay(overlay); };
  return fork_into(command.argv.at(0), [&] { become(runner, command, mount, words); });
}

Child spawn_in_bind_mount(Runner& runner, const Command& command, const BindMount& bind, int words) {
  const auto mount = [&] { mount_bind(bind); };
  return fork_into(command.argv.at(0), [&] { become(runner, command, mount, words); });
}

bool is_whiteout(const FileStatus& status) { return status.type == FileType::character && status.rdev == 0; }

bool is_opaque(const Path& folder) {
  std::array<char, 1> value{};
  return ::lgetxattr(folder.c_str(), opaque_mark, value.data(), value.size()) == 1 && value[0] == 'y';
}

bool is_opaque(const Tree& tree, std::string_view folder) { return tree.attribute(folder, opaque_mark) == "y"; }

std::optional<std::string> origin(const Tree& tree, std::string_view file) {
  // struct ovl_fb of the kernel's fs/overlayfs: version, magic, length, flags, the handle's type, a UUID, the handle.
  constexpr std::size_t length_at = 2, type_at = 4, handle_at = 21;
  constexpr std::string_view version_and_magic("\x00\xfb", 2);
  const auto mark = tree.attribute(file, origin_mark);
  const bool makes_sense = mark && mark->size() > handle_at && mark->starts_with(version_and_magic) &&
                           static_cast<unsigned char>((*mark)[length_at]) == mark->size();
  return makes_sense ? std::optional((*mark)[type_at] + mark->substr(handle_at)) : std::nullopt;
}

void set_opaque(const Path& folder) {
  if (::lsetxattr(folder.c_str(), opaque_mark, "y", 1, 0) != 0)
    throw base::system_error(errno, "mark as opaque", folder);
}

void make_folder_like(const Path& folder, const Path& model) {
  const auto status = sys::status(model);
  if (::mkdir(folder.c_str(), 0700) != 0) throw base::system_error(errno, "make the folder", folder);
  if (::chown(folder.c_str(), status.uid, status.gid) != 0) throw base::system_error(errno, "give away", folder);
  copy_attributes(model, folder);
  if (::chmod(folder.c_str(), status.mode) != 0) throw base::system_error(errno, "set the mode of", folder);
}

void link_entry(const Path& from, const Path& to) {
  if (::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0) != 0) throw base::system_error(errno, "link to", to);
}

void set_modified(const Path& path, std::chrono::sys_time<std::chrono::nanoseconds> time) {
  if (::utimensat(AT_FDCWD, path.c_str(), modified_alone(time).data(), AT_SYMLINK_NOFOLLOW) != 0)
    throw base::system_error(errno, "set the time of", path);
}

void sync_filesystem(const Path& folder) {
  const Fd fd = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (::syncfs(fd.get()) != 0) throw base::system_error(errno, "write back", folder);
}

}  // namespace hrvm::sys
