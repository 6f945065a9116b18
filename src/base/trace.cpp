#include "hrvm/base/trace.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "hrvm/base/text.hpp"

namespace hrvm::base {
namespace {

const std::vector<std::string>& traced_layers() {
  static const std::vector<std::string> layers = [] {
    const char* const wanted = std::getenv("HRVM_DEBUG");
    std::vector<std::string> names;
    for (const auto name : split(wanted ? wanted : "", ','))
      if (!name.empty()) names.emplace_back(name);
    return names;
  }();
  return layers;
}

bool is_named(std::string_view name) { return std::ranges::find(traced_layers(), name) != traced_layers().end(); }

}  // namespace

bool is_traced(std::string_view layer) { return is_anything_traced() && (is_named(layer) || is_named("all")); }

bool is_anything_traced() { return !traced_layers().empty(); }

void write_trace(std::string_view layer, std::string_view text) {
  const std::string line = fmt::format("hrvm[{}] {}\n", layer, printable(text));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace hrvm::base
