#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/terminal.hpp"
#include "support/failing.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace std::chrono_literals;

namespace {

// Signals would stay remembered for the tests that follow, so these run in a child. Its exit status.
int in_child(auto&& action) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    sys::catch_interrupts();
    _exit(action());
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("nothing is interrupted as long as no signal came") {
  CHECK_NOTHROW(sys::check_interrupted());
  CHECK(sys::interrupt_signal() == 0);
}

TEST_CASE("after SIGINT or SIGTERM the next check throws, and the signal is known") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CHECK(in_child([&] {
            ::raise(signal);
            const bool thrown = test::kind_of(sys::check_interrupted) == base::ErrorKind::interrupted;
            return thrown ? sys::interrupt_signal() : 99;
          }) == signal);
  }
}

TEST_CASE("a second SIGINT ends a process that does not react") {
  CHECK(in_child([] {
          ::raise(SIGINT);
          ::raise(SIGINT);
          return 0;
        }) == 128 + SIGINT);
}

TEST_CASE("progress is shown on a terminal after a second, and erased at the end") {
  test::TestHost machine;
  machine.use_terminal();
  {
    sys::Progress progress(machine.host(), "Hashing /dev/sda", 256060514304, false);
    progress.at(1 << 20);
    CHECK(machine.err.str().empty());
    std::this_thread::sleep_for(1050ms);
    progress.at(12ull << 30);
    CHECK_THAT(machine.err.str(), Catch::Contains("Hashing /dev/sda  12 GiB of 238.5 GiB  5 %  ") &&
                                      Catch::Contains("iB/s  ") && Catch::Contains("left"));
  }
  CHECK_THAT(machine.err.str(), Catch::EndsWith("\r\033[K"));
  CHECK(machine.out.str().empty());
}

TEST_CASE("progress never is wider than the terminal") {
  test::TestHost machine;
  machine.use_terminal(20);
  sys::Progress progress(machine.host(), "Hashing something with a long name", 100, false);
  std::this_thread::sleep_for(1050ms);
  progress.at(50);
  CHECK(machine.err.str() == "\r\033[KHashing something w");
}

TEST_CASE("progress is shown neither to a file nor to who asked for quiet, nor at all when it is quick") {
  test::TestHost file, quiet, quick;
  quiet.use_terminal();
  quick.use_terminal();
  {
    sys::Progress quick_progress(quick.host(), "x", 100, false);
    quick_progress.at(50);
  }
  sys::Progress file_progress(file.host(), "x", 100, false), quiet_progress(quiet.host(), "x", 100, true);
  std::this_thread::sleep_for(1050ms);
  file_progress.at(50);
  quiet_progress.at(50);
  CHECK(file.err.str().empty());
  CHECK(quiet.err.str().empty());
  CHECK(quick.err.str().empty());
}

TEST_CASE("of things their count is told, and no rate") {
  test::TestHost machine;
  machine.use_terminal();
  sys::Progress progress(machine.host(), "Examining machines", 300, false, sys::Progress::Of::things);
  std::this_thread::sleep_for(1050ms);
  progress.at(120);
  CHECK(machine.err.str() == "\r\033[KExamining machines  120 of 300  40 %");
}
