#include "hrvm/block/worker_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <new>

namespace hrvm::block {

namespace {

constexpr unsigned most_threads = 8, least_threads = 4;
// A huge page, and so what direct I/O wants as well: the kernel then copies faster into it.
constexpr std::align_val_t alignment{2 << 20};

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, alignment); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

AlignedBytes allocate_buffer(std::size_t bytes) {
  AlignedBytes buffer(new (alignment) std::byte[bytes]);
  ::madvise(buffer.get(), bytes, MADV_HUGEPAGE);
  return buffer;
}

}  // namespace

Turn::~Turn() { pass(); }

void Turn::wait() {
  std::unique_lock lock(pool_.mutex_);
  pool_.changed_.wait(lock, [&] { return pool_.turn_ == number_ || pool_.error_; });
  if (pool_.error_) throw WorkerPool::Dropped();
}

void Turn::pass() {
  if (passed_) return;
  passed_ = true;
  pool_.pass(number_);
}

WorkerPool::WorkerPool(std::size_t buffer_bytes) {
  // More than there are processors: most of them wait for the medium, which is faster with several requests in flight.
  const unsigned count = std::clamp(std::thread::hardware_concurrency() + 2, least_threads, most_threads);
  for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this, buffer_bytes] { work(buffer_bytes); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::rethrow() {
  if (error_) std::rethrow_exception(error_);
}

void WorkerPool::submit(Step step) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.size() < 2 * threads_.size() || error_; });
  rethrow();
  queue_.push_back(std::move(step));
  changed_.notify_all();
}

void WorkerPool::wait_for_turns() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return turn_ == started_ + queue_.size() || error_; });
  rethrow();
}

void WorkerPool::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return (queue_.empty() && running_ == 0) || error_; });
  rethrow();
}

void WorkerPool::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  queue_.clear();
}

// A turn may be passed before it has come.
void WorkerPool::pass(std::uint64_t number) {
  {
    const std::lock_guard lock(mutex_);
    passed_.insert(number);
    while (passed_.erase(turn_) != 0) ++turn_;
  }
  changed_.notify_all();
}

void WorkerPool::perform(const Step& step, std::uint64_t number, std::span<std::byte> buffer) {
  Turn turn(*this, number);  // passed once the failure is known: what comes after it must not be carried out
  try {
    step(buffer, turn);
  } catch (const Dropped&) {
  } catch (...) {
    fail(std::current_exception());
  }
}

void WorkerPool::work(std::size_t buffer_bytes) {
  const auto buffer = allocate_buffer(buffer_bytes);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return !queue_.empty() || stopped_; });
    if (queue_.empty()) return;
    const Step step = std::move(queue_.front());
    queue_.pop_front();
    const auto number = started_++;
    ++running_;
    lock.unlock();
    changed_.notify_all();
    perform(step, number, {buffer.get(), buffer_bytes});
    lock.lock();
    --running_;
    changed_.notify_all();
  }
}

}  // namespace hrvm::block
