// Trace: what hrvm does, for whoever looks for a fault in it. HRVM_DEBUG=LAYER[,LAYER…], or HRVM_DEBUG=all, has a line
// written to stderr for each thing done there: "hrvm[sys] runs virsh list". It is for people, and promises no form.
//
// The one place that reads the environment instead of sys::Host: it is asked where no host is known.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace hrvm::base {

bool is_traced(std::string_view layer);
bool is_anything_traced();
void write_trace(std::string_view layer, std::string_view text);

// The text is made only where somebody wants it.
template <typename... Values>
void trace(std::string_view layer, fmt::format_string<Values...> text, Values&&... values) {
  if (is_traced(layer)) write_trace(layer, fmt::format(text, std::forward<Values>(values)...));
}

}  // namespace hrvm::base
