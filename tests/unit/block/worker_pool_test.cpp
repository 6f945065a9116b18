#include "hrvm/block/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <stdexcept>

using namespace hrvm;
using block::Turn, block::WorkerPool;
using Buffer = std::span<std::byte>;

namespace {

constexpr std::size_t buffer_bytes = 8192;

void sleep_a_little(int n) { std::this_thread::sleep_for(std::chrono::microseconds((n * 7919) % 500)); }

}  // namespace

TEST_CASE("every step is carried out once, by more than one thread, in a buffer fit for direct I/O") {
  WorkerPool pool(buffer_bytes);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::set<int> done;
  for (int i = 0; i < 200; ++i) {
    pool.submit([&, i](Buffer buffer, Turn&) {
      sleep_a_little(i);
      const std::lock_guard lock(mutex);
      CHECK(buffer.size() == buffer_bytes);
      CHECK(std::uintptr_t(buffer.data()) % 4096 == 0);
      CHECK(done.insert(i).second);
      threads.insert(std::this_thread::get_id());
    });
  }
  pool.finish();
  CHECK(done.size() == 200);
  CHECK(threads.size() > 1);
}

TEST_CASE("turns come in the order of submission, whoever is done first") {
  WorkerPool pool(buffer_bytes);
  std::vector<int> order;  // guarded by the turns alone
  for (int i = 0; i < 200; ++i) {
    pool.submit([&, i](Buffer, Turn& turn) {
      sleep_a_little(i);
      if (i % 3 == 0) return;  // passes without having waited
      turn.wait();
      order.push_back(i);
      if (i % 2 == 0) turn.pass();
      sleep_a_little(i);
    });
  }
  pool.finish();
  CHECK(order.size() == 133);
  CHECK(std::ranges::is_sorted(order));
}

TEST_CASE("who submits can wait for all turns, and does not wait for the rest of the steps") {
  WorkerPool pool(buffer_bytes);
  std::atomic<bool> may_end = false;
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    pool.submit([&, i](Buffer, Turn& turn) {
      sleep_a_little(i);
      turn.wait();
      order.push_back(i);
      turn.pass();
      while (!may_end) std::this_thread::yield();
    });
  }
  pool.wait_for_turns();
  order.push_back(3);
  may_end = true;
  pool.finish();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("what a step throws reaches who submits or finishes, and the steps that wait are dropped") {
  WorkerPool pool(buffer_bytes);
  std::atomic<int> after = 0;
  const auto work = [&] {
    pool.submit([&](Buffer, Turn&) { throw std::runtime_error("broken"); });
    for (int i = 0; i < 1000; ++i) {
      pool.submit([&](Buffer, Turn& turn) {
        turn.wait();
        ++after;
      });
    }
    pool.finish();
  };
  CHECK_THROWS_WITH(work(), "broken");
  CHECK_THROWS_WITH(pool.finish(), "broken");
  CHECK(after == 0);
}

TEST_CASE("a pool that goes while steps wait ends, without carrying them out") {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(buffer_bytes);
    for (int i = 0; i < 6; ++i) {
      pool.submit([&](Buffer, Turn&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        ++done;
      });
    }
  }
  CHECK(done < 6);
}
