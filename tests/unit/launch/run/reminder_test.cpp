#include "launch/run/reminder.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using namespace std::chrono_literals;

namespace {

const WipeWatch::Time start{1h};

}  // namespace

TEST_CASE("a guest that wiped the screen is reminded of once it has been silent, once for each time") {
  WipeWatch watch;
  watch.feed("BdsDxe: loading\r\n", start);
  CHECK_FALSE(watch.is_due(start + 1h));
  watch.feed("\x1b[2J\x1b[01;01H", start);
  watch.feed("login: ", start + 1s);
  CHECK_FALSE(watch.is_due(start + 3s));
  CHECK(watch.is_due(start + 4s));
  CHECK_FALSE(watch.is_due(start + 1h));
  CHECK(watch.prompt() == "login: ");
  watch.feed(
      "\x1b"
      "c",
      start + 2h);
  CHECK(watch.is_due(start + 3h));
}

TEST_CASE("a guest that asks nothing may be loading, and is given longer") {
  WipeWatch watch;
  watch.feed("\x1b[2JBooting from Hard Disk...\r\n", start);
  CHECK_FALSE(watch.is_due(start + 9s));
  CHECK(watch.is_due(start + 10s));
}

TEST_CASE("a guest that wipes its screen again and again is left alone") {
  WipeWatch watch;
  unsigned times = 0;
  for (int hour = 0; hour < 10; ++hour) {
    watch.feed("\x1b[J", start + hour * 1h);
    times += watch.is_due(start + (hour + 1) * 1h);
  }
  CHECK(times == WipeWatch::most_times);
}

TEST_CASE("a sequence is known wherever it is cut, and colours wipe nothing") {
  for (const std::string wiper : {"\x1b[2J", "\x1b[J", "\x1b[0J",
                                  "\x1b"
                                  "c"})
    for (std::size_t cut = 1; cut < wiper.size(); ++cut) {
      INFO(wiper.substr(1) << " cut at " << cut);
      WipeWatch watch;
      watch.feed("text" + wiper.substr(0, cut), start);
      watch.feed(wiper.substr(cut) + "text", start);
      CHECK(watch.is_due(start + 3s));
    }
  WipeWatch watch;
  watch.feed("\x1b[1;31mred\x1b[K\x1b[1J [2J c", start);
  CHECK_FALSE(watch.is_due(start + 1h));
}

TEST_CASE("the reminder stands above the guest's question, of which nothing commands the terminal") {
  const test::TemporaryDirectory folder;
  const auto log = folder.write("1.log", "\x1b[2Jlogin\xff: ");
  Reminder reminder(log, "hint: keys");
  CHECK_FALSE(reminder.look(start));
  CHECK(reminder.look(start + 3s) == "\r\nhint: keys\r\nlogin\\xff: ");
  CHECK_FALSE(reminder.look(start + 1h));
}
