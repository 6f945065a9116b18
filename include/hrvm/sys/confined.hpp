// Runs a function in a child process that may do next to nothing: read the descriptors it has, take a bounded amount of
// memory and time, and write its answer into a pipe (seccomp filter, rlimits, no new privileges). For code that
// reads hostile bytes: if it is broken, the child dies and the caller learns how.
//
// In the child only descriptors that were opened for reading alone are left. Opening, linking and looking up files
// fails with EACCES, device control with ENOTTY; any other system call that is not needed to compute and read ends the
// child.
//
// One that reads folders (Confinement::folders) may open what lies below them for reading, a link at its end not
// followed, and nothing else: by the filter, and by Landlock where the kernel has it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"

namespace hrvm::sys {

struct Confinement {
  std::uint64_t memory_bytes = 512ull << 20;  // address space on top of what the process has
  std::chrono::milliseconds time{20'000};     // wall clock
  std::size_t answer_bytes = 16u << 20;
  std::vector<std::filesystem::path> folders{};  // that it reads by a Tree
};

struct ConfinedAnswer {
  std::optional<std::string> text;  // what the function returned
  std::string death;  // why there is none: "killed by SIGSEGV", "took longer than 20 s", "ran out of memory"
  std::optional<base::Error> error;  // what the function threw, where it threw one
};

using ConfinedFunction = std::function<std::string()>;

// One that runs while its caller does something else. What is not waited for is ended.
class ConfinedRun {
 public:
  explicit ConfinedRun(const ConfinedFunction& function, const Confinement& limits = {});
  ~ConfinedRun();
  ConfinedRun(ConfinedRun&&) noexcept;
  ConfinedRun& operator=(ConfinedRun&&) = delete;

  // Waits for its end, at most so long: whether it has come.
  bool wait(std::chrono::milliseconds longest);
  // Waits for it. Once only.
  ConfinedAnswer answer();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How far a confined child has come: it sets the number, and its caller reads it meanwhile. What a broken child sets is
// any number.
class SharedNumber {
 public:
  SharedNumber();
  ~SharedNumber();
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;

  void set(std::uint64_t value) { number_->store(value, std::memory_order_relaxed); }
  std::uint64_t get() const { return number_->load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t>* number_;
};

// A base::Error thrown by the function arrives as one (same kind, message, path, offset, hint); other exceptions are a
// death.
ConfinedAnswer run_confined(const ConfinedFunction& function, const Confinement& limits = {});

// One whose answer is long: what the function writes comes in parts, in order, while it runs. A part is as long as what
// was written, or, of what is longer than this, in pieces of it. Waits for its end; an interruption ends the child.
inline constexpr std::size_t largest_part = 1u << 20;
using PartWriter = std::function<void(std::string_view bytes)>;
using StreamingFunction = std::function<void(const PartWriter& write)>;
using PartReceiver = std::function<void(std::string_view part)>;
// The text of the answer is empty where all went well. What the function throws, or `on_part`, is thrown.
ConfinedAnswer run_confined_stream(const StreamingFunction& function, const PartReceiver& on_part,
                                   const Confinement& limits = {});

// Each in a child of its own, side by side; the answers in the order of the functions. Nothing is thrown: what one
// threw is the error in its answer.
std::vector<ConfinedAnswer> run_confined_together(const std::vector<ConfinedFunction>& functions,
                                                  const Confinement& limits = {});

}  // namespace hrvm::sys
