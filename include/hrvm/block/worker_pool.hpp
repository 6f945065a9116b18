// WorkerPool: the steps of a long copy on several threads, so that one is read while another is written.
//
// Steps are started in the order in which they are submitted, and may do one part of their work in that order too
// (Turn). What a step throws is thrown by the next submit or by finish; steps that wait are then dropped.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <vector>

namespace hrvm::block {

class WorkerPool;

// The place of one step in the order. It is passed on when the step ends, if not before.
class Turn {
 public:
  Turn(WorkerPool& pool, std::uint64_t number) : pool_(pool), number_(number) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();
  // Until all earlier steps have passed on their turn. Ends the step when one of them failed.
  void wait();
  void pass();

 private:
  WorkerPool& pool_;
  std::uint64_t number_;
  bool passed_ = false;
};

class WorkerPool {
 public:
  // `buffer` is the thread's own, aligned for direct I/O, with whatever it held before.
  using Step = std::function<void(std::span<std::byte> buffer, Turn& turn)>;

  // As many threads as are worth it here, each with a buffer of `buffer_bytes`.
  explicit WorkerPool(std::size_t buffer_bytes);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool();  // drops what has not started, waits for what has

  // Waits while enough steps are queued.
  void submit(Step step);
  // Waits until all steps have passed on their turn: the caller may then do himself what has its place in the order.
  void wait_for_turns();
  // Waits until all steps are done. More may follow.
  void finish();

 private:
  friend class Turn;
  struct Dropped {};  // thrown in a step whose predecessor failed

  void work(std::size_t buffer_bytes);
  void perform(const Step& step, std::uint64_t number, std::span<std::byte> buffer);
  void pass(std::uint64_t number);
  void fail(std::exception_ptr error);
  void rethrow();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Step> queue_;
  std::uint64_t started_ = 0, running_ = 0;
  std::uint64_t turn_ = 0;          // the step that is next in the order
  std::set<std::uint64_t> passed_;  // steps behind it that need their turn no more
  std::exception_ptr error_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hrvm::block
