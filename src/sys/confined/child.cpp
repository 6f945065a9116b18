#include "sys/confined/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <new>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/confined/landlock.hpp"
#include "sys/confined/seccomp_filter.hpp"
#include "sys/forked.hpp"

namespace hrvm::sys {
namespace {

using base::Error;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

std::string tagged(ConfinedTag tag, std::string_view body) { return static_cast<char>(tag) + std::string(body); }

using Function = std::function<std::string(int answer_fd)>;

std::string call(const Function& function, int answer_fd) {
  try {
    return tagged(ConfinedTag::text, function(answer_fd));
  } catch (const Error& error) {
    return tagged(ConfinedTag::error, encode(error));
  } catch (const std::bad_alloc&) {
    return tagged(ConfinedTag::death, "ran out of memory");
  } catch (const std::exception& exception) {
    return tagged(ConfinedTag::death, fmt::format("failed unexpectedly: {}", exception.what()));
  }
}

bool is_read_only(int fd) { return (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY; }

// The standard streams go to /dev/null, so that libraries stay silent about a broken disk; a sanitizer's report and a
// trace are kept.
void silence() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int stream : {0, 1, 2})
    if (stream != 2 || !(sanitized || base::is_anything_traced())) ::dup2(null, stream);
}

// Returns the highest descriptor that is left.
int close_writable_descriptors(int kept) {
  int highest = kept;
  for (const std::string& name : list_directory("/proc/self/fd")) {
    const int fd = int(base::parse_unsigned(name).value_or(0));
    if (fd > 2 && fd != kept && ::fcntl(fd, F_GETFD) >= 0 && !is_read_only(fd)) ::close(fd);
    if (::fcntl(fd, F_GETFD) >= 0) highest = std::max(highest, fd);
  }
  return highest;
}

void limit(__rlimit_resource resource, std::uint64_t value) {
  const rlimit both{value, value};
  ::setrlimit(resource, &both);
}

std::uint64_t address_space() {
  const auto statm = try_read_file("/proc/self/statm").value_or("0");
  const auto pages = base::parse_unsigned(base::split(statm, ' ').front()).value_or(0);
  return pages * std::uint64_t(::sysconf(_SC_PAGESIZE));
}

void limit_resources(const Confinement& limits, int highest_fd) {
  constexpr std::size_t own_descriptors = 8, of_folder = 2;
  const auto seconds = std::uint64_t(std::chrono::ceil<std::chrono::seconds>(limits.time).count());
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, seconds + 1);
  limit(RLIMIT_NOFILE, std::uint64_t(highest_fd) + own_descriptors + of_folder * limits.folders.size());
  // A sanitizer that gets no memory hangs in its own report.
  if (!sanitized) limit(RLIMIT_AS, address_space() + limits.memory_bytes);
}

// What cannot be opened now, the function will find that it cannot.
void give_up_other_files(const std::vector<std::filesystem::path>& folders) {
  std::vector<Fd> opened;
  for (const auto& folder : folders)
    if (Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); fd) opened.push_back(std::move(fd));
  if (!folders.empty()) read_below_only(opened);
}

[[noreturn]] void be_confined(const Function& function, const Confinement& limits, int answer_fd, pid_t parent) {
  // Nobody would wait for the answer, and until its writable descriptors are closed the child keeps the parent's locks.
  end_with(parent, SIGKILL);
  for (int number : {SIGINT, SIGTERM, SIGPIPE, SIGXCPU}) ::signal(number, SIG_DFL);
  silence();
  limit_resources(limits, close_writable_descriptors(answer_fd));
  give_up_other_files(limits.folders);
  if (apply_seccomp_filter(!limits.folders.empty()))
    write_to_parent(answer_fd, call(function, answer_fd));
  else
    write_to_parent(answer_fd,
                    tagged(ConfinedTag::death, "this kernel gives no system-call filter (CONFIG_SECCOMP_FILTER)"));
  ::_exit(0);
}

}  // namespace

void write_to_parent(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(std::size_t(written));
  }
}

ConfinedChild start_confined(const Function& function, const Confinement& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error(errno, "make", "a pipe");
  Fd read_end(ends[0]), write_end(ends[1]);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid < 0) throw base::system_error(errno, "start", "a confined child");
  if (pid == 0) be_confined(function, limits, write_end.get(), parent);
  return {pid, std::move(read_end)};
}

int wait_for_end(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace hrvm::sys
