#include "launch/qemu/guest_agent.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/base/trace.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t longest_answer = 64 * base::KiB, longest_words = 200;
// Neither end sends this byte otherwise: what was begun before it is over.
constexpr char delimiter = '\xff';

milliseconds left_until(Clock::time_point deadline) {
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(deadline - Clock::now()));
}

std::string words_of(const Json& answer) {
  auto words = base::printable(answer.at_path("error.desc").text().value_or("no reason given"));
  if (words.size() > longest_words) words.resize(longest_words);
  return words;
}

}  // namespace

std::optional<GuestAgent> GuestAgent::connect(const std::filesystem::path& path, std::uint32_t drawn,
                                              milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  auto socket = sys::UnixSocket::connect(path, limit);
  if (!socket) return std::nullopt;
  GuestAgent agent(std::move(*socket));
  try {
    return agent.synchronise(drawn, left_until(deadline)) ? std::optional(std::move(agent)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// What is no JSON is what was begun before we came.
std::optional<Json> GuestAgent::next_answer(milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (auto line = socket_.read_line(left_until(deadline), longest_answer)) {
    line->erase(0, line->rfind(delimiter) + 1);
    try {
      auto answer = base::parse_json(*line, "the guest's answer");
      if (answer.is_object()) return answer;
    } catch (const Error&) {
    }
  }
  return std::nullopt;
}

bool GuestAgent::synchronise(std::uint32_t drawn, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  const auto order =
      Json::object().set("execute", "guest-sync-delimited").set("arguments", Json::object().set("id", drawn));
  socket_.send(delimiter + base::to_text(order, -1) + "\n", limit);
  while (const auto answer = next_answer(left_until(deadline)))
    if ((*answer)["return"].unsigned_integer() == drawn) return true;
  return false;
}

Json GuestAgent::execute(const std::string& command, milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  base::trace("launch", "asks the guest's agent: {}", command);
  socket_.send(base::to_text(Json::object().set("execute", command), -1) + "\n", limit);
  while (const auto answer = next_answer(left_until(deadline))) {
    if (answer->contains("return")) return (*answer)["return"];
    if (answer->contains("error"))
      throw Error(ErrorKind::external, fmt::format("the guest's agent refused {}: {}", command, words_of(*answer)));
  }
  throw Error(ErrorKind::io, fmt::format("the guest's agent did not answer {}", command));
}

}  // namespace hrvm::launch
