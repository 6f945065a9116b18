#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/sys/terminal.hpp"
#include "launch/run/screen.hpp"
#include "launch/run/typist.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_interval{20};
// A guest that takes nothing for so long will not take the rest either.
constexpr std::chrono::seconds taking_limit{10};

class JoinedLine {
 public:
  JoinedLine(sys::UnixSocket& console, const WatchRequest& request,
             const std::function<void(std::string_view)>& on_bytes)
      : console_(console),
        waits_(request.wait_for.has_value()),
        screen_(request),
        typist_(request.input_fd),
        on_bytes_(on_bytes) {
    if (request.timeout) deadline_ = Clock::now() + *request.timeout;
  }

  WatchResult run() {
    std::optional<WatchEnd> end;
    while (!(end = this->end())) step();
    WatchResult result;
    result.end = *end;
    result.console_tail = screen_.tail();
    result.matched_line = screen_.matched().value_or("");
    return result;
  }

 private:
  std::optional<WatchEnd> end() const {
    if (screen_.matched()) return WatchEnd::matched;
    if (!waits_ && typist_.is_done() && !typist_.has_typed()) return WatchEnd::input_over;
    // QEMU hangs up once it has read to our end.
    if (console_.ended()) return taken_by_ ? WatchEnd::input_over : WatchEnd::ended;
    if (deadline_ && Clock::now() >= *deadline_) return WatchEnd::timed_out;
    return std::nullopt;
  }

  void step() {
    sys::check_interrupted();
    if (const auto bytes = console_.read_some(look_interval)) {
      if (!bytes->empty()) on_bytes_(*bytes);
      screen_.feed(*bytes);
    } else {
      screen_.look_at_prompt();
    }
    if (console_.ended()) return;
    type();
    if (!waits_ && typist_.is_done() && typist_.has_typed()) await_taking();
  }

  // Where nobody takes it any more, the next read tells that they are gone.
  void type() {
    try {
      typist_.type(console_);
    } catch (const base::Error& error) {
      if (error.kind() != base::ErrorKind::io) throw;
    }
  }

  // The guest takes what is typed byte by byte, and what it has not taken is lost with the connection.
  void await_taking() {
    if (!taken_by_) {
      console_.end_sending();
      taken_by_ = Clock::now() + taking_limit;
    }
    if (Clock::now() < *taken_by_) return;
    throw base::Error(base::ErrorKind::busy, "the guest does not take what is typed on its serial line")
        .hint("it may be paused (hrvm show), or nothing reads that line in it");
  }

  sys::UnixSocket& console_;
  bool waits_;
  Screen screen_;
  Typist typist_;
  const std::function<void(std::string_view)>& on_bytes_;
  std::optional<Clock::time_point> deadline_, taken_by_;
};

}  // namespace

WatchResult watch_console(sys::UnixSocket& console, const WatchRequest& request,
                          const std::function<void(std::string_view)>& on_bytes) {
  return JoinedLine(console, request, on_bytes).run();
}

}  // namespace hrvm::launch
