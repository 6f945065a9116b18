#include "hrvm/launch/qmp.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// An event is a notice; a guest can cause as many as it likes.
constexpr std::size_t most_events_kept = 256;

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

std::string order_text(const std::string& command, Json arguments) {
  const auto order = Json::object().set("execute", command).set("arguments", std::move(arguments));
  base::trace("launch", "orders QEMU: {}", base::to_text(order, -1));
  return base::to_text(order, -1) + "\n";
}

}  // namespace

std::optional<Qmp> Qmp::connect(const std::filesystem::path& path, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto socket = sys::UnixSocket::connect(path, limit);
  if (!socket) return std::nullopt;
  Qmp qmp(std::move(*socket));
  try {
    const auto greeting = qmp.next_message(left_until(deadline));
    if (!greeting || !greeting->contains("QMP")) return std::nullopt;
    qmp.execute("qmp_capabilities", Json::object(), left_until(deadline));
  } catch (const Error&) {
    return std::nullopt;
  }
  return qmp;
}

std::optional<Json> Qmp::next_message(milliseconds limit) {
  const auto line = socket_.read_line(limit);
  if (line) base::trace("launch", "QEMU says {}", *line);
  return line ? std::optional(base::parse_json(*line, "QEMU's answer")) : std::nullopt;
}

Json Qmp::execute(const std::string& command, Json arguments, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  socket_.send(order_text(command, std::move(arguments)), limit);
  return answer_to(command, deadline);
}

void Qmp::hand_over(const std::string& name, int fd, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  socket_.send_with(order_text("getfd", Json::object().set("fdname", name)), fd, limit);
  answer_to("getfd", deadline);
}

Json Qmp::answer_to(const std::string& command, Clock::time_point deadline) {
  while (const auto message = next_message(left_until(deadline))) {
    if (message->contains("return")) return (*message)["return"];
    if (message->contains("error")) {
      const auto words = message->at_path("error.desc").text().value_or("no reason given");
      throw Error(ErrorKind::external, fmt::format("QEMU refused {}: {}", command, words));
    }
    if (message->contains("event") && events_.size() < most_events_kept) events_.push_back(*message);
  }
  throw Error(ErrorKind::io, fmt::format("QEMU did not answer {}", command));
}

std::optional<Json> Qmp::next_event(milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (events_.empty()) {
    auto message = next_message(left_until(deadline));
    if (!message) return std::nullopt;
    if (message->contains("event")) events_.push_back(std::move(*message));
  }
  Json event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace hrvm::launch
