#include "hrvm/base/words.hpp"

#include "hrvm/base/text.hpp"

namespace hrvm::base {

std::string one_of(const std::vector<std::string>& words) {
  if (words.size() < 2) return join(words, "");
  return join({words.begin(), words.end() - 1}, ", ") + " or " + words.back();
}

}  // namespace hrvm::base
