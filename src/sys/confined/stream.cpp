#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "hrvm/base/endian.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/terminal.hpp"
#include "sys/confined/answer.hpp"
#include "sys/confined/child.hpp"

namespace hrvm::sys {
namespace {

using base::le32;
using Clock = std::chrono::steady_clock;

constexpr std::size_t header_bytes = 1 + sizeof(le32), read_bytes = 256 << 10;
constexpr int longest_wait_ms = 100;

// In the child.
void write_part(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, largest_part);
    const le32 length(std::uint32_t(part.size()));
    std::string header(1, char(ConfinedTag::part));
    header.append(static_cast<const char*>(static_cast<const void*>(&length)), sizeof length);
    write_to_parent(fd, header);
    write_to_parent(fd, part);
    bytes.remove_prefix(part.size());
  }
}

// In the parent: takes what comes apart, and keeps one part at most.
class Incoming {
 public:
  explicit Incoming(const PartReceiver& on_part) : on_part_(on_part) {}

  // False where it makes no sense.
  bool take(std::string_view bytes) {
    received_ += bytes;
    std::string_view left = received_;
    while (!left.empty() && ConfinedTag(left.front()) == ConfinedTag::part && left.size() >= header_bytes) {
      const auto length = base::load<le32>(std::as_bytes(std::span(left.substr(1, sizeof(le32)))));
      if (length > largest_part) return false;
      if (left.size() - header_bytes < length) break;
      on_part_(left.substr(header_bytes, length));
      left.remove_prefix(header_bytes + length);
    }
    received_.erase(0, received_.size() - left.size());
    return received_.size() <= header_bytes + largest_part + read_bytes;
  }
  const std::string& last() const { return received_; }

 private:
  const PartReceiver& on_part_;
  std::string received_;
};

// Whoever throws leaves no child behind.
class Child {
 public:
  explicit Child(ConfinedChild child) : child_(std::move(child)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (child_.pid > 0) end();
  }

  // What there is to read; empty at its end, nullopt where nothing has come for a moment.
  std::optional<std::string_view> read() {
    pollfd polled{child_.pipe.get(), POLLIN, 0};
    if (::poll(&polled, 1, longest_wait_ms) <= 0) return std::nullopt;
    const ssize_t count = ::read(child_.pipe.get(), buffer_.data(), buffer_.size());
    if (count < 0) return std::nullopt;
    return std::string_view(buffer_.data(), std::size_t(count));
  }
  int wait() { return wait_for_end(std::exchange(child_.pid, -1)); }
  void end() {
    ::kill(child_.pid, SIGKILL);
    wait();
  }

 private:
  ConfinedChild child_;
  std::string buffer_ = std::string(read_bytes, '\0');
};

}  // namespace

ConfinedAnswer run_confined_stream(const StreamingFunction& function, const PartReceiver& on_part,
                                   const Confinement& limits) {
  Child child(start_confined(
      [&](int fd) {
        function([fd](std::string_view bytes) { write_part(fd, bytes); });
        return std::string();
      },
      limits));
  const auto deadline = Clock::now() + limits.time;
  Incoming incoming(on_part);
  for (;;) {
    check_interrupted();
    if (Clock::now() >= deadline) return {{}, took_longer_than(limits.time), {}};
    const auto bytes = child.read();
    if (!bytes) continue;
    if (bytes->empty()) break;
    if (!incoming.take(*bytes)) return {{}, "gave an answer that makes no sense", {}};
  }
  const int status = child.wait();
  if (status != 0 || incoming.last().empty()) return {{}, describe_end(status, limits), {}};
  auto answer = decode_answer(incoming.last());
  if (answer.error) throw std::move(*answer.error);
  return answer;
}

}  // namespace hrvm::sys
