#include "hrvm/sys/confined.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <exception>
#include <new>
#include <span>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/forked.hpp"
#include "sys/landlock.hpp"
#include "sys/seccomp_filter.hpp"

namespace hrvm::sys {
namespace {

using base::Error;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_children = 16;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// The first byte of what comes through the pipe says what follows it.
enum class Tag : char { text = 'T', error = 'E', death = 'D' };

std::string tagged(Tag tag, std::string_view body) { return static_cast<char>(tag) + std::string(body); }

// ---- in the child ----

std::string call(const ConfinedFunction& function) {
  try {
    return tagged(Tag::text, function());
  } catch (const Error& error) {
    return tagged(Tag::error, encode(error));
  } catch (const std::bad_alloc&) {
    return tagged(Tag::death, "ran out of memory");
  } catch (const std::exception& exception) {
    return tagged(Tag::death, fmt::format("failed unexpectedly: {}", exception.what()));
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

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(std::size_t(written));
  }
}

// What cannot be opened now, the function will find that it cannot.
void give_up_other_files(const std::vector<std::filesystem::path>& folders) {
  std::vector<Fd> opened;
  for (const auto& folder : folders)
    if (Fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); fd) opened.push_back(std::move(fd));
  if (!folders.empty()) read_below_only(opened);
}

[[noreturn]] void be_confined(const ConfinedFunction& function, const Confinement& limits, int answer_fd,
                              pid_t parent) {
  // Nobody would wait for the answer, and until its writable descriptors are closed the child keeps the parent's locks.
  end_with(parent, SIGKILL);
  for (int number : {SIGINT, SIGTERM, SIGPIPE, SIGXCPU}) ::signal(number, SIG_DFL);
  silence();
  limit_resources(limits, close_writable_descriptors(answer_fd));
  give_up_other_files(limits.folders);
  if (apply_seccomp_filter(!limits.folders.empty()))
    write_all(answer_fd, call(function));
  else
    write_all(answer_fd, tagged(Tag::death, "this kernel gives no system-call filter (CONFIG_SECCOMP_FILTER)"));
  ::_exit(0);
}

// ---- in the parent ----

struct Running {
  pid_t pid = -1;
  Fd pipe;
  Clock::time_point deadline;
  std::string received;
  std::string killed_because;  // empty while we have no reason
  std::size_t index = 0;       // of its function
};

Running start(const ConfinedFunction& function, const Confinement& limits, std::size_t index) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw base::system_error(errno, "make", "a pipe");
  Fd read_end(ends[0]), write_end(ends[1]);
  const pid_t parent = ::getpid(), pid = ::fork();
  if (pid < 0) throw base::system_error(errno, "start", "a confined child");
  if (pid == 0) be_confined(function, limits, write_end.get(), parent);
  return {pid, std::move(read_end), Clock::now() + limits.time, {}, {}, index};
}

std::string duration(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000) : fmt::format("{} ms", time.count());
}

std::string describe_end(int status, const Confinement& limits) {
  if (WIFEXITED(status)) return fmt::format("ended with status {} and no answer", WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  if (number == SIGSYS) return "killed by SIGSYS: it made a system call that is forbidden to it";
  if (number == SIGXCPU) return fmt::format("took longer than {}", duration(limits.time));
  const char* name = ::sigabbrev_np(number);
  return fmt::format("killed by SIG{}", name ? name : std::to_string(number));
}

// What the child sent is not to be trusted either: a broken one may send anything.
ConfinedAnswer decode(std::string_view received) {
  const auto body = received.substr(1);
  switch (Tag(received.front())) {
    case Tag::text:
      return {std::string(body), {}, {}};
    case Tag::death:
      return {{}, std::string(body), {}};
    case Tag::error:
      try {
        return {{}, {}, decode_error(body)};
      } catch (const Error& error) {
        return {{}, error.message(), {}};
      }
  }
  return {{}, "gave an answer that makes no sense", {}};
}

ConfinedAnswer finish(Running& child, const Confinement& limits) {
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!child.killed_because.empty()) return {{}, child.killed_because, {}};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || child.received.empty())
    return {{}, describe_end(status, limits), {}};
  return decode(child.received);
}

void kill_child(Running& child, std::string why) {
  child.killed_because = std::move(why);
  ::kill(child.pid, SIGKILL);
}

// False once the child has closed its end, or was killed for what it sent.
bool receive(Running& child, const Confinement& limits) {
  std::array<char, 65536> buffer;  // filled by read
  const ssize_t count = ::read(child.pipe.get(), buffer.data(), buffer.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  child.received.append(buffer.data(), std::size_t(count));
  if (child.received.size() <= limits.answer_bytes) return true;
  kill_child(child, fmt::format("gave an answer of more than {} bytes", limits.answer_bytes));
  return false;
}

// False when there is nothing more to wait for.
bool attend(Running& child, bool readable, const Confinement& limits) {
  if (Clock::now() >= child.deadline) {
    kill_child(child, fmt::format("took longer than {}", duration(limits.time)));
    return false;
  }
  return !readable || receive(child, limits);
}

int milliseconds_to_first_deadline(const std::deque<Running>& children) {
  const auto first = std::ranges::min_element(children, {}, &Running::deadline)->deadline;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now()).count();
  return int(std::clamp<std::int64_t>(left, 0, 60'000));
}

// Waits for whichever comes first, at most `longest`, and takes the children that are done out of `children`.
void attend_all(std::deque<Running>& children, const Confinement& limits, std::vector<ConfinedAnswer>& answers,
                int longest_milliseconds = 60'000) {
  std::vector<pollfd> polled;
  for (const Running& child : children) polled.push_back({child.pipe.get(), POLLIN, 0});
  ::poll(polled.data(), polled.size(), std::min(milliseconds_to_first_deadline(children), longest_milliseconds));
  std::deque<Running> left;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (attend(children[i], polled[i].revents != 0, limits))
      left.push_back(std::move(children[i]));
    else
      answers[children[i].index] = finish(children[i], limits);
  }
  children = std::move(left);
}

}  // namespace

struct ConfinedRun::State {
  Confinement limits;
  std::deque<Running> children;  // one, until it has ended
  std::vector<ConfinedAnswer> answers = std::vector<ConfinedAnswer>(1);
};

ConfinedRun::ConfinedRun(const ConfinedFunction& function, const Confinement& limits)
    : state_(std::make_unique<State>()) {
  state_->limits = limits;
  state_->children.push_back(start(function, limits, 0));
}

ConfinedRun::~ConfinedRun() {
  if (!state_) return;
  for (auto& child : state_->children) {
    kill_child(child, "not waited for");
    finish(child, state_->limits);
  }
}

ConfinedRun::ConfinedRun(ConfinedRun&&) noexcept = default;

bool ConfinedRun::wait(std::chrono::milliseconds longest) {
  const auto until = Clock::now() + longest;
  while (!state_->children.empty() && Clock::now() < until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    attend_all(state_->children, state_->limits, state_->answers, int(std::max<std::int64_t>(left.count(), 0)));
  }
  return state_->children.empty();
}

ConfinedAnswer ConfinedRun::answer() {
  auto& answer = state_->answers.front();
  while (!state_->children.empty()) attend_all(state_->children, state_->limits, state_->answers);
  if (answer.error) throw std::move(*answer.error);
  return std::move(answer);
}

SharedNumber::SharedNumber() {
  void* memory = ::mmap(nullptr, sizeof *number_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw base::system_error(errno, "share", "memory with a child");
  number_ = new (memory) std::atomic<std::uint64_t>(0);
}

SharedNumber::~SharedNumber() { ::munmap(number_, sizeof *number_); }

std::vector<ConfinedAnswer> run_confined_together(const std::vector<ConfinedFunction>& functions,
                                                  const Confinement& limits) {
  std::vector<ConfinedAnswer> answers(functions.size());
  std::deque<Running> children;
  std::size_t next = 0;
  while (next < functions.size() || !children.empty()) {
    for (; next < functions.size() && children.size() < most_children; ++next) try {
        children.push_back(start(functions[next], limits, next));
      } catch (const Error& error) {
        answers[next].error = error;
      }
    if (!children.empty()) attend_all(children, limits, answers);
  }
  return answers;
}

ConfinedAnswer run_confined(const ConfinedFunction& function, const Confinement& limits) {
  return ConfinedRun(function, limits).answer();
}

}  // namespace hrvm::sys
