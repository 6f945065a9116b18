#include "hrvm/block/image_lock.hpp"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock_holders.hpp"

namespace hrvm::block {

namespace {

// QEMU takes shared locks only, each on one byte: a permission in use at 100 + n, one not shared at 200 + n. Whether
// somebody holds one is seen from whether an exclusive lock would conflict.
constexpr off_t in_use_base = 100, not_shared_base = 200;
constexpr off_t write_permission = 1, resize_permission = 3;
constexpr std::array<off_t, 4> permissions{0, 1, 2, 3};

struct flock one_byte(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

// Fails where a filesystem has no such locks: then nobody holds one.
bool is_any_held_of(int fd, struct flock lock) {
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_held_by_others(int fd, off_t byte) { return is_any_held_of(fd, one_byte(F_WRLCK, byte)); }

// Of all bytes that say something, in one call.
bool is_used_by_others(int fd) {
  struct flock lock = one_byte(F_WRLCK, in_use_base);
  lock.l_len = not_shared_base + off_t(permissions.size()) - in_use_base;
  return is_any_held_of(fd, lock);
}

std::optional<sys::Fd> try_open(const std::filesystem::path& image) {
  try {
    return sys::open_file(image, O_RDONLY | O_NONBLOCK);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

// The word after an option of a program; empty where there is none.
std::string value_of(const std::vector<std::string>& argv, std::string_view option) {
  const auto found = std::ranges::find(argv, option);
  return found == argv.end() || found + 1 == argv.end() ? std::string() : *(found + 1);
}

// QEMU as hrvm starts it: its pid file lies in a folder named for the machine's UUID.
std::string machine_of(const std::vector<std::string>& argv) {
  const auto uuid = value_of(argv, "-uuid"), pid_file = value_of(argv, "-pidfile"), name = value_of(argv, "-name");
  constexpr std::string_view guest = "guest=";
  const bool is_ours = !uuid.empty() && pid_file.find("/" + uuid + "/") != std::string::npos;
  return is_ours && name.starts_with(guest) ? name.substr(guest.size()) : std::string();
}

bool is_any_held(int fd, off_t base) {
  for (const off_t permission : permissions)
    if (is_held_by_others(fd, base + permission)) return true;
  return false;
}

bool is_written_by_others(int fd) {
  return is_held_by_others(fd, in_use_base + write_permission) ||
         is_held_by_others(fd, in_use_base + resize_permission);
}

void set(int fd, const struct flock& lock, const std::filesystem::path& image) {
  if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) throw base::system_error(errno, "lock", image);
}

void set_all(int fd, short type, const std::filesystem::path& image) {
  for (const off_t base : {in_use_base, not_shared_base}) {
    for (const off_t permission : permissions) set(fd, one_byte(type, base + permission), image);
  }
}

base::Error in_use(const std::filesystem::path& image) {
  const auto holder = image_holder(image);
  return base::Error(base::ErrorKind::busy, fmt::format("{} is in use by {}", image.string(), holder.text()))
      .on(image)
      .hint(holder.remedy());
}

// A program that was killed may have left a child behind that has the lock until it ends, too, a moment later.
template <typename Function>
bool succeeds_soon(const Function& function) {
  constexpr std::chrono::milliseconds patience{200}, interval{10};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!function()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(interval);
  }
  return true;
}

// Ours first, then a look for others: of two that do so at once, at least one sees the other.
bool try_lock_exclusively(int fd, const std::filesystem::path& image) {
  set_all(fd, F_RDLCK, image);
  if (!is_any_held(fd, in_use_base) && !is_any_held(fd, not_shared_base)) return true;
  set_all(fd, F_UNLCK, image);
  return false;
}

bool try_lock_for_reading(int fd, const std::filesystem::path& image) {
  constexpr off_t no_writer = not_shared_base + write_permission;
  set(fd, one_byte(F_RDLCK, no_writer), image);
  if (!is_written_by_others(fd)) return true;
  set(fd, one_byte(F_UNLCK, no_writer), image);
  return false;
}

}  // namespace

ImageUse image_use(const std::filesystem::path& image) {
  const auto fd = try_open(image);
  if (!fd || !is_used_by_others(fd->get())) return ImageUse::none;
  if (is_written_by_others(fd->get())) return ImageUse::write;
  return is_held_by_others(fd->get(), not_shared_base + write_permission) ? ImageUse::read : ImageUse::none;
}

std::string ImageHolder::text() const {
  if (pid == 0) return "a running machine or qemu-img";
  return machine.empty() ? fmt::format("{} (process {})", program, pid)
                         : fmt::format("machine {} (process {})", machine, pid);
}

std::string ImageHolder::remedy() const {
  if (pid == 0) return "stop the machine that runs on it, or wait until qemu-img is done";
  return machine.empty() ? fmt::format("wait until it is done, or end it: kill {}", pid)
                         : "stop it: hrvm stop " + base::shell_quote(machine);
}

ImageHolder image_holder(const std::filesystem::path& image) {
  const auto holders = sys::lock_holders(image);
  if (holders.empty()) return {};
  const auto& [pid, argv] = holders.front();
  const auto program = std::filesystem::path(argv.front()).filename().string();
  return {pid, base::printable(program), base::printable(machine_of(argv))};
}

void lock_image_exclusively(int fd, const std::filesystem::path& image) {
  if (!succeeds_soon([&] { return try_lock_exclusively(fd, image); })) throw in_use(image);
}

void lock_image_for_reading(int fd, const std::filesystem::path& image) {
  if (!succeeds_soon([&] { return try_lock_for_reading(fd, image); })) throw in_use(image);
}

sys::Fd open_locked_for_reading(const std::filesystem::path& image) {
  auto fd = sys::open_file(image, O_RDONLY);
  lock_image_for_reading(fd.get(), image);
  return fd;
}

}  // namespace hrvm::block
