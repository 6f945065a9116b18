// What a failing call threw: CHECK(test::kind_of([&] { open_device("/none"); }) == base::ErrorKind::not_found);
#pragma once

#include <stdexcept>

#include "hrvm/base/error.hpp"

namespace hrvm::test {

base::Error error_of(auto&& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

base::ErrorKind kind_of(auto&& action) { return error_of(action).kind(); }

}  // namespace hrvm::test
