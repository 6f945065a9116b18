#include "hrvm/sys/confined.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/tree.hpp"
#include "support/subreaper.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

std::string number(long value) { return std::to_string(value); }

#if !defined(__SANITIZE_ADDRESS__)
// Memory that is really asked of the kernel, bit by bit, until it says no.
std::string allocate_without_end() {
  std::vector<std::unique_ptr<std::array<char, 1 << 20>>> all;
  for (;;) all.push_back(std::make_unique<std::array<char, 1 << 20>>());
}
#endif

std::string loop_without_end() {
  volatile bool done = false;
  while (!done) {
  }
  return "done";
}

std::string crash() {
  ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would report it and exit
  ::raise(SIGSEGV);
  return "survived";
}

}  // namespace

TEST_CASE("a confined function's answer arrives whole, with NUL bytes and beyond a pipe's size") {
  const std::string long_answer = std::string("a\0b", 3) + std::string(300'000, 'x');
  CHECK(sys::run_confined([&] { return long_answer; }).text == long_answer);
  CHECK(sys::run_confined([] { return std::string(); }).text == "");
}

TEST_CASE("an Error thrown in confinement arrives as the same Error") {
  try {
    sys::run_confined([]() -> std::string {
      throw base::Error(base::ErrorKind::corrupt, "bad L1").on("/x.img").at(4096).hint("restore it");
    });
    FAIL("nothing was thrown");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::corrupt);
    CHECK(error.message() == "bad L1");
    CHECK(error.path() == "/x.img");
    CHECK(error.offset() == 4096u);
    CHECK(error.hint() == "restore it");
  }
}

TEST_CASE("a confined child reads what is open, and writes to nothing that is") {
  const std::string path = "/tmp/hrvm-confined-test-" + number(::getpid());
  sys::Fd writer = sys::open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  REQUIRE(::write(writer.get(), "before", 6) == 6);
  sys::Fd reader = sys::open_file(path, O_RDONLY);
  ::unlink(path.c_str());
  const auto answer = sys::run_confined([&] {
    std::array<char, 6> bytes{};
    const ssize_t got = ::pread(reader.get(), bytes.data(), bytes.size(), 0);
    const ssize_t put = ::pwrite(writer.get(), "after!", 6, 0);
    return std::string(bytes.data(), std::size_t(got)) + (put < 0 ? " refused" : " written");
  });
  CHECK(answer.text == "before refused");
  std::array<char, 6> bytes{};
  REQUIRE(::pread(reader.get(), bytes.data(), bytes.size(), 0) == 6);
  CHECK(std::string(bytes.data(), 6) == "before");
}

TEST_CASE("a confined child cannot open a file") {
  CHECK_THROWS_WITH(sys::run_confined([] { return sys::read_file("/etc/hostname"); }), Contains("Permission denied"));
}

TEST_CASE("a confined child that makes a forbidden system call is killed") {
  CHECK_THAT(sys::run_confined([] { return number(::socket(AF_UNIX, SOCK_STREAM, 0)); }).death, Contains("SIGSYS"));
  CHECK_THAT(sys::run_confined([] { return number(::kill(::getppid(), 0)); }).death, Contains("SIGSYS"));
  CHECK_THAT(sys::run_confined([] { return number(::unlink("/tmp/none")); }).death, Contains("SIGSYS"));
  CHECK_THAT(sys::run_confined([] { return number(::fork()); }).death, Contains("SIGSYS"));
}

TEST_CASE("a confined child that crashes is told by its signal") {
  CHECK_THAT(sys::run_confined(crash).death, Contains("SIGSEGV"));
  CHECK_THAT(sys::run_confined([]() -> std::string { std::abort(); }).death, Contains("SIGABRT"));
}

TEST_CASE("a confined child that ends without an answer is told") {
  CHECK_THAT(sys::run_confined([]() -> std::string { ::_exit(7); }).death, Contains("status 7"));
  CHECK_THAT(sys::run_confined([]() -> std::string { throw std::runtime_error("odd"); }).death, Contains("odd"));
}

TEST_CASE("a confined child that does not end is stopped when its time is over") {
  const auto start = std::chrono::steady_clock::now();
  const auto answer = sys::run_confined(loop_without_end, {.time = 200ms});
  CHECK(answer.death == "took longer than 200 ms");
  CHECK(std::chrono::steady_clock::now() - start < 20s);
}

TEST_CASE("a confined child ends with a parent that is killed") {
  const test::Subreaper subreaper;
  sys::SharedNumber child;
  const auto parent = ::fork();
  if (parent == 0) {
    sys::run_confined([&] { return child.set(std::uint64_t(::getpid())), loop_without_end(); }, {.time = 1h});
    ::_exit(0);
  }
  while (child.get() == 0) ::usleep(1000);
  ::kill(parent, SIGKILL);
  int status = 0;
  CHECK(::waitpid(parent, &status, 0) == parent);
  // An hour of computing it would have.
  pid_t ended = 0;
  for (int turn = 0; turn < 10'000 && (ended = ::waitpid(pid_t(child.get()), &status, WNOHANG)) == 0; ++turn)
    ::usleep(1000);
  CHECK(ended == pid_t(child.get()));
  if (ended == 0) ::kill(pid_t(child.get()), SIGKILL);
  subreaper.wait_for_all(parent);
}

#if !defined(__SANITIZE_ADDRESS__)  // memory is not bounded under a sanitizer
TEST_CASE("a confined child that takes memory without end dies, and says so") {
  const auto answer = sys::run_confined(allocate_without_end, {.memory_bytes = 64u << 20});
  CHECK_FALSE(answer.text);
  CHECK(answer.death == "ran out of memory");
}
#endif

TEST_CASE("a confined child that answers without end is stopped") {
  const auto answer = sys::run_confined([] { return std::string(2000, 'x'); }, {.answer_bytes = 1000});
  CHECK_THAT(answer.death, Contains("more than 1000 bytes"));
}

TEST_CASE("confined children work side by side, and one that dies takes no other with it") {
  std::vector<sys::ConfinedFunction> functions;
  for (int i = 0; i < 40; ++i)
    functions.emplace_back([i]() -> std::string {
      if (i == 7) std::abort();
      if (i == 9) throw base::Error(base::ErrorKind::io, "nine");
      ::usleep(500'000);
      return number(i);
    });
  const auto start = std::chrono::steady_clock::now();
  const auto answers = sys::run_confined_together(functions);
  CHECK(std::chrono::steady_clock::now() - start < 15s);  // 20 s one after another
  REQUIRE(answers.size() == 40);
  for (int i = 0; i < 40; ++i)
    if (i != 7 && i != 9) CHECK(answers[std::size_t(i)].text == number(i));
  CHECK_FALSE(answers[7].death.empty());
  REQUIRE(answers[9].error);
  CHECK(answers[9].error->message() == "nine");
}

TEST_CASE("a caller sees how far a confined child has come, and need not wait for it") {
  sys::SharedNumber place;
  sys::ConfinedRun run([&]() -> std::string {
    place.set(7);
    ::usleep(300'000);
    return "done";
  });
  CHECK_FALSE(run.wait(1ms));
  while (place.get() != 7) REQUIRE_FALSE(run.wait(5ms));
  while (!run.wait(50ms)) {
  }
  CHECK(run.wait(0ms));
  CHECK(run.answer().text == "done");
}

namespace {

struct Rooms {
  Rooms() {
    for (const char* name : {"in", "out"}) {
      std::filesystem::create_directory(folder / name);
      folder.write(std::string(name) + "/file", name);
    }
    in = sys::Fd(::open((folder / "in").c_str(), O_PATH | O_DIRECTORY));
  }
  // What it gives that may read in `in`.
  sys::ConfinedAnswer inside(const sys::ConfinedFunction& function) const {
    sys::Confinement limits;
    limits.folders = {folder / "in"};
    return sys::run_confined(function, limits);
  }
  int opened(const char* name, int flags) const { return ::openat(in.get(), name, flags | O_NOFOLLOW, 0600); }

  test::TemporaryDirectory folder;
  sys::Fd in;
};

std::string outcome(int fd) { return fd >= 0 ? "opened" : std::strerror(errno); }

}  // namespace

TEST_CASE_METHOD(Rooms, "a confined child that reads a folder reads what lies in it") {
  const sys::Tree tree(folder / "in");
  const auto answer = inside([&] { return tree.read("file", 0, 100) + tree.list("", 10).front(); });
  CHECK(answer.text == "infile");
}

TEST_CASE_METHOD(Rooms, "a confined child that reads a folder opens nothing outside of it, nor for writing") {
  const std::string other = folder / "out/file";
  CHECK(inside([&] { return outcome(::openat(AT_FDCWD, other.c_str(), O_RDONLY | O_NOFOLLOW)); }).text != "opened");
  CHECK(inside([&] { return outcome(opened("../out/file", O_RDONLY)); }).text != "opened");
  for (const int flags :
       {O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT, O_RDWR | O_TMPFILE})
    CHECK(inside([&] { return outcome(opened("file", flags)); }).text == "Permission denied");
  CHECK(inside([&] { return outcome(::openat(in.get(), "file", O_RDONLY)); }).text == "Permission denied");
  const auto answer = inside([&] { return outcome(opened("file", O_RDONLY)); });
  CHECK(answer.death == "");
  CHECK(answer.text.value_or("") == "opened");
}

TEST_CASE_METHOD(Rooms, "a confined child that reads a folder is killed when it connects, makes, removes or renames") {
  CHECK_THAT(inside([] { return number(::socket(AF_INET, SOCK_STREAM, 0)); }).death, Contains("SIGSYS"));
  CHECK_THAT(inside([&] { return number(::mkdirat(in.get(), "new", 0700)); }).death, Contains("SIGSYS"));
  CHECK_THAT(inside([&] { return number(::unlinkat(in.get(), "file", 0)); }).death, Contains("SIGSYS"));
  CHECK_THAT(inside([&] { return number(::renameat(in.get(), "file", in.get(), "x")); }).death, Contains("SIGSYS"));
}

TEST_CASE("what a confined child writes comes in parts, in order, however much it is") {
  std::vector<std::size_t> lengths;
  std::uint64_t bytes = 0;
  const auto answer = sys::run_confined_stream(
      [](const sys::PartWriter& write) {
        write("first");
        write("");
        const std::string much(3 * sys::largest_part + 7, 'x');
        for (int i = 0; i < 20; ++i) write(much);
        write("last");
      },
      [&](std::string_view part) {
        lengths.push_back(part.size());
        bytes += part.size();
      });
  CHECK(answer.text == "");
  REQUIRE(lengths.size() == 2 + 20 * 4);
  CHECK(lengths.front() == 5);
  CHECK(lengths[4] == 7);
  CHECK(lengths.back() == 4);
  CHECK(bytes == 9 + 20 * (3 * sys::largest_part + 7));
}

TEST_CASE("what is thrown behind some parts is thrown here, and a death after them is told") {
  int parts = 0;
  const auto count = [&](std::string_view) { ++parts; };
  CHECK_THROWS_WITH(sys::run_confined_stream(
                        [](const sys::PartWriter& write) {
                          write("a");
                          throw base::Error(base::ErrorKind::corrupt, "a bad folder");
                        },
                        count),
                    "a bad folder");
  CHECK(parts == 1);
  const auto killed = sys::run_confined_stream(
      [](const sys::PartWriter& write) {
        write("a");
        ::raise(SIGKILL);
      },
      count);
  CHECK(killed.death == "killed by SIGKILL");
  sys::Confinement limits;
  limits.time = 300ms;
  const auto slow = sys::run_confined_stream(
      [](const sys::PartWriter& write) {
        for (;;) write("again and again");
      },
      [](std::string_view) {}, limits);
  CHECK(slow.death == "took longer than 300 ms");
  CHECK_FALSE(slow.text);
}

TEST_CASE("who takes the parts may throw, and the child is gone") {
  pid_t child = 0;
  CHECK_THROWS_WITH(sys::run_confined_stream(
                        [](const sys::PartWriter& write) {
                          for (;;) write(number(::getpid()));
                        },
                        [&](std::string_view part) {
                          child = pid_t(std::stol(std::string(part)));
                          throw base::Error(base::ErrorKind::io, "no room");
                        }),
                    "no room");
  REQUIRE(child > 0);
  CHECK(::kill(child, 0) != 0);
}
