#include "machine/store/volatility.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace hrvm::machine {
namespace {

constexpr unsigned deepest = 8;  // overlays on loops on overlays

class Question {
 public:
  Question(const sys::Host& host, const std::vector<sys::Mount>& mounts) : host_(host), mounts_(mounts) {}

  std::optional<std::string> reason_for(const std::string& path, unsigned depth = 0) const {
    const auto mount = sys::mount_of(mounts_, path);
    if (!mount || depth > deepest) return std::nullopt;
    if (mount->type == "tmpfs" || mount->type == "ramfs")
      return fmt::format("{} is kept in memory ({})", mount->mount_point, mount->type);
    if (is_memory_device(mount->source))
      return fmt::format("{} lies on {}, which is kept in memory", mount->mount_point, mount->source);
    if (mount->type == "overlay") return reason_for_overlay(*mount, depth);
    if (const auto file = loop_file(mount->source)) return reason_for_loop(*mount, *file, depth);
    return std::nullopt;
  }

 private:
  static bool is_memory_device(const std::string& source) {
    return source.starts_with("/dev/zram") || source.starts_with("/dev/ram");
  }

  std::optional<std::string> loop_file(const std::string& source) const {
    if (!source.starts_with("/dev/loop")) return std::nullopt;
    const auto name = source.substr(std::string_view("/dev/").size());
    return sys::try_read_line(host_.path("/sys/block/" + name + "/loop/backing_file"));
  }

  std::optional<std::string> reason_for_loop(const sys::Mount& mount, const std::string& file, unsigned depth) const {
    const auto reason = reason_for(file, depth + 1);
    if (!reason) return std::nullopt;
    return fmt::format("{} lies in the file {}, and {}", mount.mount_point, file, *reason);
  }

  std::optional<std::string> reason_for_overlay(const sys::Mount& overlay, unsigned depth) const {
    const auto upper = upper_directory(overlay);
    if (!upper) return fmt::format("{} is an overlay without an upper directory", overlay.mount_point);
    const auto seen = as_seen_now(overlay, *upper);
    if (!seen)
      return fmt::format("{} is an overlay, and what keeps its changes ({}) cannot be seen from here",
                         overlay.mount_point, *upper);
    const auto reason = reason_for(*seen, depth + 1);
    if (!reason) return std::nullopt;
    return fmt::format("{} is an overlay whose changes are not kept: {}", overlay.mount_point, *reason);
  }

  static std::optional<std::string> upper_directory(const sys::Mount& overlay) {
    constexpr std::string_view option = "upperdir=";
    for (const auto& text : overlay.super_options)
      if (text.starts_with(option)) return text.substr(option.size());
    return std::nullopt;
  }

  // An initramfs names the upper directory as it saw it: the new root stood in a folder then (/mnt-root/…, /root/…),
  // which is gone. So leading folders are left away until what remains lies on a mount of its own. The root itself only
  // counts where nothing else does: any path lies on it.
  std::optional<std::string> as_seen_now(const sys::Mount& overlay, const std::string& upper) const {
    for (std::size_t start = 0; start != upper.npos && start + 1 < upper.size(); start = upper.find('/', start + 1)) {
      const auto path = upper.substr(start);
      const auto mount = sys::mount_of(mounts_, path);
      if (mount && mount->id != overlay.id && mount->mount_point != "/") return path;
    }
    if (overlay.mount_point == "/") return std::nullopt;
    return upper;
  }

  const sys::Host& host_;
  const std::vector<sys::Mount>& mounts_;
};

}  // namespace

std::optional<std::string> volatile_reason(const sys::Host& host, const std::vector<sys::Mount>& mounts,
                                           const std::string& absolute_path) {
  return Question(host, mounts).reason_for(absolute_path);
}

}  // namespace hrvm::machine
