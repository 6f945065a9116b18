#include "hrvm/sys/background.hpp"

#include <catch2/catch.hpp>

#include "hrvm/sys/lock.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::sys;
using namespace std::chrono_literals;

namespace {

bool is_free(const std::filesystem::path& folder) { return Lock::try_take(folder, Lock::Mode::exclusive).has_value(); }

}  // namespace

TEST_CASE("what runs in the background has none of the caller's locks from the start, and keeps those it is to") {
  test::TemporaryDirectory folder;
  for (int round = 0; round < 100; ++round) {
    auto lifeline = make_lifeline();
    auto lock = Lock::try_take(folder.path(), Lock::Mode::exclusive);
    REQUIRE(lock);
    run_in_background([&] { wait_for_end(lifeline.watched); }, {lifeline.watched.get()});
    lock.reset();
    CHECK(is_free(folder.path()));
  }

  auto lifeline = make_lifeline();
  auto kept = Lock::try_take(folder.path(), Lock::Mode::exclusive);
  REQUIRE(kept);
  run_in_background([&] { wait_for_end(lifeline.watched); }, {lifeline.watched.get(), kept->fd()});
  kept.reset();
  CHECK_FALSE(is_free(folder.path()));
  lifeline.held.reset();
  CHECK(Lock::try_take(folder.path(), Lock::Mode::exclusive, 4s));
}
