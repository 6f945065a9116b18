#include "hrvm/sys/confined.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <new>

#include <fmt/core.h>

#include "hrvm/sys/fd.hpp"
#include "sys/confined/answer.hpp"
#include "sys/confined/child.hpp"

namespace hrvm::sys {
namespace {

using base::Error;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_children = 16;

struct Running {
  pid_t pid = -1;
  Fd pipe;
  Clock::time_point deadline;
  std::string received;
  std::string killed_because;  // empty while we have no reason
  std::size_t index = 0;       // of its function
};

Running start(const ConfinedFunction& function, const Confinement& limits, std::size_t index) {
  auto child = start_confined([&](int) { return function(); }, limits);
  return {child.pid, std::move(child.pipe), Clock::now() + limits.time, {}, {}, index};
}

ConfinedAnswer finish(Running& child, const Confinement& limits) {
  const int status = wait_for_end(child.pid);
  if (!child.killed_because.empty()) return {{}, child.killed_because, {}};
  if (status != 0 || child.received.empty()) return {{}, describe_end(status, limits), {}};
  return decode_answer(child.received);
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
    kill_child(child, took_longer_than(limits.time));
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
