#include "hrvm/sys/lock_holders.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::sys {

namespace {

constexpr std::size_t longest_command_line = 1 << 20, longest_fdinfo = 64 << 10;

// Its inode stands in the lock's line, so that files on a filesystem that does not answer are not asked for theirs.
bool is_lock_on(std::string_view line, std::uint64_t inode) {
  return line.starts_with("lock:") && line.find(fmt::format(":{} ", inode)) != line.npos;
}

bool holds(const Path& process, const FileStatus& file) {
  for (const auto& fd : list_directory(process / "fdinfo")) {
    const auto info = try_read_file(process / "fdinfo" / fd, longest_fdinfo).value_or("");
    if (std::ranges::none_of(base::lines(info), [&](auto line) { return is_lock_on(line, file.inode); })) continue;
    const auto open = sys::status(process / "fd" / fd);
    if (open.inode == file.inode && open.device == file.device) return true;
  }
  return false;
}

std::vector<std::string> argv_of(const Path& process) {
  std::vector<std::string> argv;
  const auto line = try_read_file(process / "cmdline", longest_command_line).value_or("");
  for (const auto word : base::split(line, '\0')) argv.emplace_back(word);
  if (!argv.empty() && argv.back().empty()) argv.pop_back();
  return argv;
}

}  // namespace

std::vector<LockHolder> lock_holders(const Path& file) {
  std::vector<LockHolder> holders;
  const auto status = sys::status(file);
  if (status.type == FileType::missing) return holders;
  for (const auto& name : list_directory("/proc")) try {
      const auto pid = base::parse_unsigned(name);
      const Path process = Path("/proc") / name;
      if (!pid || pid_t(*pid) == ::getpid() || !holds(process, status)) continue;
      if (auto argv = argv_of(process); !argv.empty()) holders.push_back({pid_t(*pid), std::move(argv)});
    } catch (const base::Error&) {
      continue;  // another user's, or it has ended
    }
  return holders;
}

}  // namespace hrvm::sys
