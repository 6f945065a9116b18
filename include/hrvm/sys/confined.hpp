// Runs a function in a child process that may do next to nothing: read the descriptors it has, take a bounded amount of
// memory and time, and write its answer into a pipe (seccomp filter, rlimits, no new privileges). For code that
// reads hostile bytes: if it is broken, the child dies and the caller learns how.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace hrvm::sys {

struct Confinement {
  std::uint64_t memory_bytes = 512ull << 20;      // address space on top of what the process has
  std::chrono::milliseconds time{20'000};         // wall clock
  std::size_t answer_bytes = 16u << 20;
};

struct ConfinedAnswer {
  std::optional<std::string> text;  // what the function returned
  std::string death;                // why there is none: "killed by SIGSEGV", "took longer than 20 s", "ran out of memory"
};

// A base::Error thrown by the function arrives as one (same kind, message, path, offset, hint); other exceptions are a death.
ConfinedAnswer run_confined(const std::function<std::string()>& function, const Confinement& limits = {});

}  // namespace hrvm::sys
