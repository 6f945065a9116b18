#include <catch2/catch.hpp>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using sys::Lock;
using Mode = Lock::Mode;

TEST_CASE("one holder excludes every other until it goes") {
  const test::TemporaryDirectory folder;
  {
    const auto lock = Lock::try_take(folder.path(), Mode::exclusive);
    REQUIRE(lock);
    CHECK_FALSE(Lock::try_take(folder.path(), Mode::exclusive));
    CHECK_FALSE(Lock::try_take(folder.path(), Mode::shared));
  }
  CHECK(Lock::try_take(folder.path(), Mode::exclusive));
}

TEST_CASE("shared holders tolerate each other and exclude an exclusive one") {
  const test::TemporaryDirectory folder;
  const auto first = Lock::try_take(folder.path(), Mode::shared), second = Lock::try_take(folder.path(), Mode::shared);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(Lock::try_take(folder.path(), Mode::exclusive));
}

TEST_CASE("a lock is waited for as long as patience lasts") {
  const test::TemporaryDirectory folder;
  auto held = Lock::try_take(folder.path(), Mode::exclusive);
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(Lock::try_take(folder.path(), Mode::exclusive, 60ms));
  CHECK(std::chrono::steady_clock::now() - start >= 60ms);
  std::thread release([&] {
    std::this_thread::sleep_for(50ms);
    held.reset();
  });
  CHECK(Lock::try_take(folder.path(), Mode::exclusive, 20s));
  release.join();
}

TEST_CASE("a child that inherits the descriptor keeps the lock until it ends") {
  const test::TemporaryDirectory folder;
  const auto runner = sys::make_process_runner();
  auto lock = Lock::try_take(folder.path(), Mode::exclusive);
  sys::Child child = runner->spawn({.argv = {"sleep", "60"}, .inherited_fds = {lock->fd()}}, {}, false);
  std::move(*lock).release().reset();
  CHECK_FALSE(Lock::try_take(folder.path(), Mode::exclusive));
  child.signal(9);
  REQUIRE(child.wait(20s));
  CHECK(Lock::try_take(folder.path(), Mode::exclusive, 1s));
}

TEST_CASE("what was removed while it was waited for is not found, rather than locked") {
  const test::TemporaryDirectory folder;
  sys::make_directories(folder / "layer");
  auto held = Lock::try_take(folder / "layer", Mode::exclusive);
  std::thread remover([&] {
    std::this_thread::sleep_for(50ms);
    sys::remove_all(folder / "layer");
    held.reset();
  });
  CHECK(test::kind_of([&] { Lock::try_take(folder / "layer", Mode::exclusive, 20s); }) == base::ErrorKind::not_found);
  remover.join();
}

TEST_CASE("what is not there cannot be locked") {
  const test::TemporaryDirectory folder;
  CHECK(test::kind_of([&] { Lock::try_take(folder / "none", Mode::shared); }) == base::ErrorKind::not_found);
}
