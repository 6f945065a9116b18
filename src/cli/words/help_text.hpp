// --help, rendered from the declarations.
#pragma once

#include <string>

#include "hrvm/cli/command.hpp"

namespace hrvm::cli {

struct HelpStyle {
  bool color = false;
  unsigned columns = 80;
  bool ascii = false;
};

// For "" the tool with all its commands, for "snapshot" a group, for "snapshot create" a command.
// Error{usage} when there is no such topic.
std::string help_text(const std::string& topic, const HelpStyle& style);
HelpStyle help_style(const sys::Host& host, const Arguments& arguments);

}  // namespace hrvm::cli
