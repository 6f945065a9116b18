// The conditions of GRUB's shell: what `[ … ]` and `test` say.
#pragma once

#include <functional>
#include <span>
#include <string>

namespace hrvm::probe {

// `is_file` answers -e, -f and -s. Words that make no condition are false.
bool grub_test(std::span<const std::string> words, const std::function<bool(const std::string&)>& is_file);

}  // namespace hrvm::probe
