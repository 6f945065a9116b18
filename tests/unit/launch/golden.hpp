// Texts held against the files in golden/. With HRVM_UPDATE_GOLDEN=1 in the environment they are written anew: read the
// difference before it is committed.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

#include "hrvm/sys/files.hpp"

namespace hrvm::launch::testing {

inline void check_golden(const std::string& name, const std::string& text) {
  const auto file = std::string(HRVM_SOURCE_DIR "/tests/unit/launch/golden/") + name;
  if (std::getenv("HRVM_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << text;
  CHECK(sys::try_read_file(file).value_or("(no such file)") == text);
}

}  // namespace hrvm::launch::testing
