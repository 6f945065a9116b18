#include "probe/boot/grub_variables.hpp"

#include <algorithm>

#include "hrvm/base/text.hpp"
#include "probe/boot/boot_entry.hpp"

namespace hrvm::probe {

GrubVariables parse_grubenv(std::string_view text) {
  GrubVariables variables;
  for (std::string_view line : base::lines(text)) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos || variables.size() >= most_grub_variables) continue;
    std::string value;
    for (std::size_t i = equals + 1; i < line.size(); ++i)
      value += line[i] == '\\' && i + 1 < line.size() ? line[++i] : line[i];
    variables.insert_or_assign(std::string(line.substr(0, equals)), std::move(value));
  }
  return variables;
}

std::string expand_variables(std::string_view text, const GrubVariables& variables) {
  constexpr std::string_view name_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  std::string expanded;
  while (!text.empty() && expanded.size() < longest_text) {
    const auto dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(std::min(dollar + 1, text.size()));
    const bool braced = text.starts_with('{');
    if (braced) text.remove_prefix(1);
    const auto end = std::min(text.find_first_not_of(name_letters), text.size());
    if (const auto found = variables.find(text.substr(0, end)); found != variables.end()) expanded += found->second;
    text.remove_prefix(std::min(end + (braced ? 1 : 0), text.size()));
  }
  return expanded.substr(0, longest_text);
}

}  // namespace hrvm::probe
