// TestHost: a Host whose every part a test holds in its hand.
//
//     test::TestHost machine(HRVM_SOURCE_DIR "/tests/support/machines/laptop");   or test::TestHost machine;
//     machine.runner.answer("qemu-img", {.out = "…"});
//     run_the_code_under_test(machine.host());
//     CHECK(machine.out.str() == "…");
//
// Nothing is a terminal, the clock stands still, entropy is the same in every run, every filesystem is half full, and
// the user is root.
#pragma once

#include <filesystem>
#include <sstream>
#include <string>

#include "hrvm/sys/host.hpp"
#include "support/fake_runner.hpp"

namespace hrvm::test {

class TestHost {
 public:
  explicit TestHost(std::filesystem::path root = "/");
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  // Change any field of it: host().environment["HRVM_STORE"] = …, host().uid = 1000.
  sys::Host& host() { return host_; }

  // What the person at the keyboard types: from now on in.
  void type(const std::string& text);
  // All three streams are a terminal of this width.
  void use_terminal(unsigned columns = 80);
  // Forgets what was printed and which programs were run, between two commands of one test.
  void forget();

  std::stringstream in, out, err;
  FakeRunner runner;
  base::Time now;  // 2026-02-14T09:41:07Z; move it with now += std::chrono::hours(1)

 private:
  std::uint64_t drawn_ = 0;
  sys::Host host_;
};

}  // namespace hrvm::test
