#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

sys::Command shell(std::string script) { return {.argv = {"sh", "-c", std::move(script)}}; }

sys::Result run(const sys::Command& command, std::chrono::milliseconds limit = 20s) {
  return sys::make_process_runner()->run(command, limit);
}

// The lines of /proc/self/fd as a child sees them, 0 to 2 and its own left out.
std::string open_in_child(const sys::Command& command) {
  sys::Command list = command;
  list.argv = {
      "sh", "-c",
      "for fd in /proc/self/fd/*; do case ${fd##*/} in 0|1|2|10|255) ;; *) [ -e $fd ] && echo ${fd##*/} ;; esac; done"};
  return run(list).out;
}

}  // namespace

TEST_CASE("a program runs to its end and both of its streams are caught apart") {
  const sys::Result result = run(shell("echo out; echo err >&2; exit 3"));
  CHECK(result.exit_status == 3);
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("arguments reach the program as they are, without a shell") {
  CHECK(run({.argv = {"printf", "%s|", "a b", "$HOME", "", "*"}}).out == "a b|$HOME||*|");
}

TEST_CASE("a program reads nothing from our input") { CHECK(run({.argv = {"cat"}}).out.empty()); }

TEST_CASE("the environment of a command is set on top of ours") {
  ::setenv("HRVM_TEST_KEPT", "kept", 1);
  ::setenv("HRVM_TEST_CHANGED", "ours", 1);
  sys::Command command = shell("echo $HRVM_TEST_KEPT $HRVM_TEST_CHANGED $HRVM_TEST_NEW");
  command.environment = {{"HRVM_TEST_CHANGED", "theirs"}, {"HRVM_TEST_NEW", "new"}};
  CHECK(run(command).out == "kept theirs new\n");
  CHECK(std::string(::getenv("HRVM_TEST_CHANGED")) == "ours");
}

TEST_CASE("a program that is not there is not found") {
  CHECK(test::kind_of([] { run({.argv = {"hrvm-no-such-program"}}); }) == base::ErrorKind::not_found);
  CHECK(test::kind_of([] { run({.argv = {"/no/such/program"}}); }) == base::ErrorKind::not_found);
}

TEST_CASE("a program that takes too long is killed, and what it said is kept") {
  const auto start = Clock::now();
  const sys::Result result = run(shell("trap '' TERM; echo begun; exec sleep 60"), 300ms);
  CHECK(result.timed_out);
  CHECK(result.exit_status == 128 + SIGKILL);
  CHECK(result.out == "begun\n");
  CHECK(Clock::now() - start < 10s);
}

TEST_CASE("a program that closes its streams and goes on is killed as well") {
  const sys::Result result = run(shell("exec >&- 2>&-; exec sleep 60"), 300ms);
  CHECK(result.timed_out);
}

TEST_CASE("a signal counts as the shell counts it") { CHECK(run(shell("kill -SEGV $$")).exit_status == 128 + SIGSEGV); }

TEST_CASE("what goes on in the background and holds the streams is not waited for") {
  const auto start = Clock::now();
  const sys::Result result = run(shell("echo out; sleep 5 &"));
  CHECK(result.out == "out\n");
  CHECK_FALSE(result.timed_out);
  CHECK(Clock::now() - start < 4s);
}

TEST_CASE("output beyond 1 MiB is dropped without blocking the program") {
  const sys::Result result =
      run(shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo done > /dev/null"));
  CHECK(result.exit_status == 0);
  CHECK(result.out.size() == 1 << 20);
  CHECK(result.err.size() == 1 << 20);
}

TEST_CASE("a child gets the descriptors that it is meant to have, under their numbers, and no others") {
  const sys::Fd given = sys::open_file("/dev/null", O_RDONLY), kept = sys::open_file("/dev/null", O_RDONLY);
  // As one that was open when we were started.
  const sys::Fd foreign(::dup(kept.get()));
  sys::Command command;
  command.inherited_fds = {given.get()};
  CHECK(open_in_child(command) == std::to_string(given.get()) + "\n");
  CHECK((::fcntl(given.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("a child meets signals as usual, whatever we do with them") {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const sys::Result result = run(shell("grep '^SigBlk' /proc/self/status; kill -PIPE $$; echo still here"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  CHECK(result.out == "SigBlk:\t0000000000000000\n");
  CHECK(result.exit_status == 128 + SIGPIPE);
}

TEST_CASE("a spawned child writes where it is told, even with its streams crossed") {
  const test::TemporaryDirectory folder;
  const sys::Fd out = sys::open_file(folder / "out", O_CREAT | O_WRONLY, 0600);
  const sys::Fd err = sys::open_file(folder / "err", O_CREAT | O_WRONLY, 0600);
  const auto runner = sys::make_process_runner();
  sys::Child child =
      runner->spawn(shell("echo out; echo err >&2; exit 7"), {.out = out.get(), .err = err.get()}, false);
  CHECK(child.wait(20s) == 7);
  CHECK(child.poll() == 7);
  CHECK(sys::read_file(folder / "out") == "out\n");
  CHECK(sys::read_file(folder / "err") == "err\n");
}

TEST_CASE("a detached child has a session of its own, another one ours") {
  const auto runner = sys::make_process_runner();
  sys::Child detached = runner->spawn({.argv = {"sleep", "60"}}, {}, true);
  sys::Child attached = runner->spawn({.argv = {"sleep", "60"}}, {}, false);
  CHECK(::getsid(detached.pid()) == detached.pid());
  CHECK(::getsid(attached.pid()) == ::getsid(0));
  for (sys::Child* child : {&detached, &attached}) {
    child->signal(SIGKILL);
    CHECK(child->wait(20s) == 128 + SIGKILL);
  }
}

TEST_CASE("a child that runs has no status, and waiting for it ends in time") {
  const auto runner = sys::make_process_runner();
  sys::Child child = runner->spawn({.argv = {"sleep", "60"}}, {}, false);
  const auto start = Clock::now();
  CHECK_FALSE(child.poll());
  CHECK_FALSE(child.wait(50ms));
  CHECK(Clock::now() - start >= 50ms);
  CHECK(Clock::now() - start < 5s);
  child.signal(SIGTERM);
  CHECK(child.wait(20s) == 128 + SIGTERM);
  CHECK_NOTHROW(child.signal(SIGTERM));
}

TEST_CASE("a child that ends with us does so when we are killed") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t starter = ::fork();
  if (starter == 0) {
    const auto runner = sys::make_process_runner();
    sys::Child child = runner->spawn({.argv = {"sleep", "60"}, .ends_with_us = true}, {}, true);
    const pid_t pid = child.pid();
    [[maybe_unused]] const auto written = ::write(ends[1], &pid, sizeof pid);
    ::pause();
  }
  pid_t pid = 0;
  REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
  for (const int end : ends) ::close(end);
  CHECK(::getsid(pid) == pid);
  const sys::Process process = sys::Process::child(pid);
  CHECK_FALSE(process.wait(100ms));
  ::kill(starter, SIGKILL);
  CHECK(sys::Child(starter).wait(20s) == 128 + SIGKILL);
  CHECK(process.wait(20s));
}

TEST_CASE("a child that ends with us is given its streams and descriptors as any other") {
  const test::TemporaryDirectory folder;
  const sys::Fd out = sys::open_file(folder / "out", O_CREAT | O_WRONLY, 0600);
  const sys::Fd given = sys::open_file(folder / "given", O_CREAT | O_WRONLY, 0600);
  auto command = shell(fmt::format("echo out; echo given >&{}; exit 7", given.get()));
  command.inherited_fds = {given.get()};
  command.ends_with_us = true;
  const auto runner = sys::make_process_runner();
  CHECK(runner->spawn(command, {.out = out.get()}, false).wait(20s) == 7);
  CHECK(sys::read_file(folder / "out") == "out\n");
  CHECK(sys::read_file(folder / "given") == "given\n");
  const auto missing = [&] { runner->spawn({.argv = {"hrvm-no-such-program"}, .ends_with_us = true}, {}, false); };
  CHECK(test::kind_of(missing) == base::ErrorKind::not_found);
}

TEST_CASE("exec replaces this process and keeps the descriptors named") {
  const test::TemporaryDirectory folder;
  const sys::Fd given = sys::open_file(folder / "file", O_CREAT | O_WRONLY, 0600);
  const std::string number = std::to_string(given.get());
  const pid_t pid = ::fork();
  if (pid == 0) {
    sys::Command command = shell("echo $WORD >&" + number + "; exit 5");
    command.environment = {{"WORD", "replaced"}};
    command.inherited_fds = {given.get()};
    try {
      sys::make_process_runner()->exec(command);
    } catch (...) {
      _exit(99);
    }
  }
  CHECK(sys::Child(pid).wait(20s) == 5);
  CHECK(sys::read_file(folder / "file") == "replaced\n");
}

TEST_CASE("exec of a program that is not there throws") {
  const auto runner = sys::make_process_runner();
  CHECK(test::kind_of([&] { runner->exec({.argv = {"hrvm-no-such-program"}}); }) == base::ErrorKind::not_found);
}
