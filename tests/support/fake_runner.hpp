// FakeRunner: a Runner that starts nothing. It keeps what it was asked to run and gives the answers that a test has
// prepared. Programs go by the last part of argv[0]: "qemu-img" also answers for "/usr/bin/qemu-img".
//
//     runner.answer("qemu-img", {.out = "{}"});                 the next call
//     runner.on("virsh", [](const sys::Command&) { … });        every call for which no answer is queued
//     CHECK(runner.calls.back().command.argv == std::vector<std::string>{"virsh", "define", "/tmp/x"});
//
// A call for which there is neither throws Error{not_found}, as for a program that is not installed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hrvm/sys/runner.hpp"

namespace hrvm::test {

// Thrown by FakeRunner::exec, which must not return. No std::exception, so that nothing on the way takes it for a
// failure.
struct Executed {
  sys::Command command;
};

class FakeRunner : public sys::Runner {
 public:
  using Handler = std::function<sys::Result(const sys::Command&)>;

  struct Call {
    enum class How { run, spawn, exec } how;
    sys::Command command;
    bool detached = false;  // spawn only
    std::string program() const;
  };

  // Everything that was asked for, in order, answered or not.
  std::vector<Call> calls;

  void answer(const std::string& program, sys::Result result);
  void on(const std::string& program, Handler handler);

  sys::Result run(const sys::Command& command, std::chrono::milliseconds limit) override;
  // A child that ends at once with the answer's exit_status; with timed_out one that runs until it gets a signal (or
  // the test ends). The answer's `out` and `err` are written to the streams given.
  sys::Child spawn(const sys::Command& command, const sys::Redirection& streams, bool detached) override;
  // Needs no answer. Throws Executed.
  [[noreturn]] void exec(const sys::Command& command) override;

 private:
  sys::Result answer_to(const Call& call);
  std::map<std::string, std::deque<sys::Result>> queued_;
  std::map<std::string, Handler> handlers_;
};

}  // namespace hrvm::test
