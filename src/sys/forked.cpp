#include "sys/forked.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <utility>

#include "hrvm/base/json.hpp"
#include "hrvm/sys/background.hpp"

namespace hrvm::sys {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr int could_not_start = 127;

// `failure` closes when the program has been started, and gets the error when it is not.
[[noreturn]] void become_it(const std::function<void()>& become, int failure) {
  try {
    become();
  } catch (const Error& error) {
    const auto text = encode(error);
    [[maybe_unused]] const auto written = ::write(failure, text.data(), text.size());
  } catch (...) {
  }
  ::_exit(could_not_start);
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<char, 512> bytes;
  for (ssize_t got = 0; (got = ::read(fd, bytes.data(), bytes.size())) != 0;) {
    if (got < 0 && errno != EINTR) break;
    if (got > 0) text.append(bytes.data(), std::size_t(got));
  }
  return text;
}

}  // namespace

void end_with(pid_t parent, int signal) {
  ::prctl(PR_SET_PDEATHSIG, signal);
  if (::getppid() != parent) ::_exit(0);  // it was gone before
}

Child fork_into(std::string_view program, const std::function<void()>& become) {
  // The child has a copy of what is buffered, and would print it a second time.
  std::cout.flush();
  std::cerr.flush();
  auto failure = make_lifeline();
  const pid_t pid = ::fork();
  if (pid < 0) throw base::system_error(errno, "start", std::string(program));
  if (pid == 0) become_it(become, failure.held.get());
  failure.held.reset();
  Child child(pid);
  const auto text = read_to_end(failure.watched.get());
  if (text.empty()) return child;
  while (!child.wait(std::chrono::seconds(1))) {
  }
  throw decode_error(text);
}

std::string encode(const Error& error) {
  Json json = Json::object();
  json.set("kind", int(error.kind())).set("message", error.message()).set("path", error.path());
  json.set("offset", error.offset()).set("hint", error.hint());
  return base::to_text(json, -1);
}

Error decode_error(std::string_view text) {
  const Json json = base::parse_json(text, "a child's answer");
  const auto kind = json["kind"].unsigned_integer().value_or(std::uint64_t(ErrorKind::io));
  if (kind > std::uint64_t(ErrorKind::interrupted)) return {ErrorKind::corrupt, "a child's answer makes no sense"};
  auto error = Error(ErrorKind(kind), json["message"].text().value_or(""))
                   .on(json["path"].text().value_or(""))
                   .hint(json["hint"].text().value_or(""));
  if (const auto offset = json["offset"].unsigned_integer()) return std::move(error).at(*offset);
  return error;
}

}  // namespace hrvm::sys
