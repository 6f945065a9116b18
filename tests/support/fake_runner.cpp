#include "support/fake_runner.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "hrvm/base/error.hpp"

namespace hrvm::test {

namespace {

void write_if_open(int fd, const std::string& text) {
  if (fd >= 0 && ::write(fd, text.data(), text.size()) < 0) _exit(126);
}

[[noreturn]] void play(const sys::Result& result, const sys::Redirection& streams) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_DFL);
  write_if_open(streams.out, result.out);
  write_if_open(streams.err, result.err);
  while (result.timed_out) ::pause();
  _exit(result.exit_status);
}

}  // namespace

std::string FakeRunner::Call::program() const { return std::filesystem::path(command.argv.at(0)).filename(); }

void FakeRunner::answer(const std::string& program, sys::Result result) {
  queued_[program].push_back(std::move(result));
}

void FakeRunner::on(const std::string& program, Handler handler) { handlers_[program] = std::move(handler); }

sys::Result FakeRunner::run(const sys::Command& command, std::chrono::milliseconds) {
  calls.push_back({Call::How::run, command});
  return answer_to(calls.back());
}

sys::Child FakeRunner::spawn(const sys::Command& command, const sys::Redirection& streams, bool detached) {
  calls.push_back({Call::How::spawn, command, detached});
  const sys::Result result = answer_to(calls.back());
  const pid_t pid = ::fork();
  if (pid == 0) play(result, streams);
  return sys::Child(pid);
}

void FakeRunner::exec(const sys::Command& command) {
  calls.push_back({Call::How::exec, command});
  throw Executed{command};
}

sys::Result FakeRunner::answer_to(const Call& call) {
  auto& queue = queued_[call.program()];
  if (!queue.empty()) {
    sys::Result result = std::move(queue.front());
    queue.pop_front();
    return result;
  }
  const auto handler = handlers_.find(call.program());
  if (handler == handlers_.end()) throw base::system_error(ENOENT, "run", call.command.argv[0]);
  return handler->second(call.command);
}

}  // namespace hrvm::test
