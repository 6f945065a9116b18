#include "cli/steps/several.hpp"

#include <algorithm>

#include "cli/messages.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {

std::vector<std::string> words_given(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const auto& word : arguments.positionals())
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  return words;
}

int for_each(const Context& context, const std::vector<std::string>& names,
             const std::function<void(const std::string& name)>& does) {
  int status = 0;
  for (const auto& name : names) {
    try {
      does(name);
    } catch (base::Error& error) {
      if (names.size() == 1 || error.kind() == base::ErrorKind::interrupted) throw;
      if (error.message().find(name) == std::string::npos) error.while_doing(name);
      print_error(context.host.streams.err, error, message_style(context.host, context.arguments));
      status = 1;
    }
  }
  return status;
}

}  // namespace hrvm::cli
