#include "launch/run/reminder.hpp"

#include <algorithm>
#include <array>

#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

// ED to the end or of all, and RIS.
constexpr std::array<std::string_view, 4> wipers{"\x1b[2J", "\x1b[J", "\x1b[0J",
                                                 "\x1b"
                                                 "c"};
constexpr std::size_t longest_wiper = 4;
// Of a guest that prints without end a part is read at each look.
constexpr int most_chunks = 16;

}  // namespace

void WipeWatch::feed(std::string_view bytes, Time now) {
  last_byte_ = now;
  wiped_ |= wipes(bytes);
  lines_.feed(bytes);
}

bool WipeWatch::wipes(std::string_view bytes) {
  last_ += bytes;
  const auto found = std::ranges::any_of(wipers, [&](auto wiper) { return last_.find(wiper) != last_.npos; });
  last_.erase(0, last_.size() - std::min(last_.size(), found ? 0 : longest_wiper - 1));
  return found;
}

bool WipeWatch::is_due(Time now) {
  const auto needed = prompt().empty() ? silence : silence_after_prompt;
  if (!wiped_ || times_ >= most_times || now - last_byte_ < needed) return false;
  wiped_ = false;
  ++times_;
  return true;
}

// The guest's question stands below it again, and the cursor where it was.
std::optional<std::string> Reminder::look(WipeWatch::Time now) {
  for (int chunk = 0; chunk < most_chunks; ++chunk) {
    const auto bytes = log_.read();
    if (!bytes) break;
    watch_.feed(*bytes, now);
  }
  if (!watch_.is_due(now)) return std::nullopt;
  return "\r\n" + text_ + "\r\n" + base::printable(watch_.prompt());
}

}  // namespace hrvm::launch
