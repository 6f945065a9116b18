// Hears what a person should know of something that goes on all the same.
#pragma once

#include <functional>
#include <string_view>

namespace hrvm::launch {

struct Listener {
  using Hear = std::function<void(std::string_view)>;
  Hear warn, note, hint;
  bool verbose = false;  // wants to hear more
};

}  // namespace hrvm::launch
