#include "probe/boot/boot_entry.hpp"

#include <cctype>

namespace hrvm::probe {

std::string kernel_version(std::string_view kernel_path) {
  const std::string_view name = kernel_path.substr(kernel_path.rfind('/') + 1);
  for (std::string_view prefix : {"vmlinuz-", "vmlinux-", "kernel-", "linux-", "bzImage-"})
    if (name.size() > prefix.size() && name.starts_with(prefix) &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])))
      return std::string(name.substr(prefix.size()));
  return {};
}

std::pair<std::string, std::string> split_device(std::string_view path) {
  const auto end = path.find(')');
  if (!path.starts_with('(') || end == std::string_view::npos) return {"", std::string(path)};
  return {std::string(path.substr(1, end - 1)), std::string(path.substr(end + 1))};
}

// Goes back to the last "*" where the rest does not fit: linear for each star.
bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in = 0, star = std::string_view::npos, taken = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      taken = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == text[at])) {
      ++in, ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace hrvm::probe
