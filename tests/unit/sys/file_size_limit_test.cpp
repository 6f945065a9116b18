#include "hrvm/sys/file_size_limit.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <string>

#include "hrvm/sys/fd.hpp"

using namespace hrvm;

namespace {

// Waits for a byte on `turn`, writes one at offset 4096, and tells its errno; twice.
int write_when_told(int turn, int answer) {
  sys::ignore_file_size_signal();
  std::string name = "/tmp/hrvm-limit-XXXXXX";
  const sys::Fd file(mkstemp(name.data()));
  unlink(name.c_str());
  for (char byte; read(turn, &byte, 1) == 1;) {
    const char error = pwrite(file.get(), "x", 1, 4096) == 1 ? 0 : char(errno);
    if (write(answer, &error, 1) != 1) return 1;
  }
  return 0;
}

struct Writer {
  Writer() {
    int to[2], from[2];
    REQUIRE(pipe2(to, O_CLOEXEC) == 0);
    REQUIRE(pipe2(from, O_CLOEXEC) == 0);
    pid = fork();
    if (pid == 0) {
      close(to[1]);
      _exit(write_when_told(to[0], from[1]));
    }
    turn = sys::Fd(to[1]), answer = sys::Fd(from[0]);
    close(to[0]), close(from[1]);
  }
  ~Writer() {
    turn.reset();
    waitpid(pid, nullptr, 0);
  }
  int write_error() {
    char error = 1;
    REQUIRE(write(turn.get(), "x", 1) == 1);
    REQUIRE(read(answer.get(), &error, 1) == 1);
    return error;
  }

  pid_t pid = -1;
  sys::Fd turn, answer;
};

}  // namespace

TEST_CASE("a process that is held to a file size fails to write beyond it, lives on, and may again when it is lifted") {
  Writer writer;
  CHECK(writer.write_error() == 0);
  REQUIRE(sys::limit_file_size(writer.pid, 4096));
  CHECK(writer.write_error() == EFBIG);
  REQUIRE(sys::limit_file_size(writer.pid, 4097));
  CHECK(writer.write_error() == 0);
  REQUIRE(sys::limit_file_size(writer.pid, 1));
  REQUIRE(sys::limit_file_size(writer.pid, std::nullopt));
  CHECK(writer.write_error() == 0);
}

TEST_CASE("a process that is gone cannot be held to anything") { CHECK_FALSE(sys::limit_file_size(0x7ffffff0, 4096)); }
