#include "hrvm/sys/host.hpp"

#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::sys {

namespace {

constexpr std::string_view default_search_path = "/usr/sbin:/usr/bin:/sbin:/bin";

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Streams standard_streams() {
  Streams streams{.in = std::cin,
                  .out = std::cout,
                  .err = std::cerr,
                  .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
                  .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
                  .err_is_terminal = ::isatty(STDERR_FILENO) == 1};
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) streams.columns = size.ws_col;
  return streams;
}

std::array<std::uint8_t, 16> kernel_entropy() {
  std::array<std::uint8_t, 16> bytes{};
  // Reads of up to 256 bytes are never cut short once the pool is ready; before that a signal may interrupt the wait.
  while (::getrandom(bytes.data(), bytes.size(), 0) != ssize_t(bytes.size()))
    if (errno != EINTR) throw base::system_error(errno, "read", "getrandom(2)");
  return bytes;
}

bool is_program(const std::filesystem::path& path) {
  // In this order: a folder on PATH may be closed to this user.
  return is_executable(path) && sys::status(path).type == FileType::regular;
}

}  // namespace

std::filesystem::path Host::path(std::string_view absolute) const {
  return is_recorded() ? root / std::filesystem::path(absolute).relative_path() : std::filesystem::path(absolute);
}

std::string Host::host_path(const std::filesystem::path& rooted) const {
  if (!is_recorded()) return rooted;
  const std::filesystem::path inside = rooted.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..") return rooted;
  return inside == "." ? "/" : "/" + inside.string();
}

std::optional<std::string> Host::variable(const std::string& name) const {
  const auto found = environment.find(name);
  return found != environment.end() ? std::optional(found->second) : std::nullopt;
}

std::optional<std::string> Host::first_existing(std::initializer_list<std::string_view> absolute_paths) const {
  for (const std::string_view candidate : absolute_paths)
    if (sys::status(path(candidate)).type != FileType::missing) return std::string(candidate);
  return std::nullopt;
}

std::optional<std::string> Host::find_program(std::string_view name) const {
  const std::string search_path = variable("PATH").value_or(std::string(default_search_path)) + ":/usr/sbin:/sbin";
  for (const std::string_view folder : base::split(search_path, ':')) {
    // A relative folder would make the answer hang on where hrvm was started.
    if (!folder.starts_with('/')) continue;
    const std::string candidate = (std::filesystem::path(folder) / name).string();
    if (is_program(path(candidate))) return candidate;
  }
  return std::nullopt;
}

Host real_host(Runner& runner) {
  return {.environment = process_environment(),
          .uid = ::geteuid(),
          .streams = standard_streams(),
          .runner = runner,
          .now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); },
          .entropy = kernel_entropy,
          .space = kernel_space};
}

}  // namespace hrvm::sys
