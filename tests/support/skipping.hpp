// What a test cannot do here is said, and tests/run.sh repeats it at its end. For rights and kernels alone: a program
// that tests/deps.sh installs is required.
#pragma once

#include <catch2/catch.hpp>

#define HRVM_SKIP(why)        \
  do {                        \
    WARN("SKIPPED: " << why); \
    return;                   \
  } while (false)
