#include "launch/run/pattern.hpp"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "hrvm/base/error.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t bytes_before_compiling_anew = 64 * 1024;

Error no_expression(const std::string& expression, std::string_view reason) {
  return Error(ErrorKind::usage, fmt::format("'{}' is no extended regular expression: {}", expression, reason))
      .hint("see regex(7)");
}

bool has_back_reference(const std::string& expression) {
  for (std::size_t at = 0; at + 1 < expression.size(); ++at) {
    if (expression[at] != '\\') continue;
    if (const char next = expression[++at]; next >= '1' && next <= '9') return true;
  }
  return false;
}

}  // namespace

void Pattern::Free::operator()(regex_t* compiled) const {
  regfree(compiled);
  delete compiled;
}

Pattern::Pattern(std::string expression) : expression_(std::move(expression)) {
  if (expression_.find('\0') != std::string::npos) throw no_expression(expression_, "it contains a NUL");
  if (has_back_reference(expression_)) throw no_expression(expression_, "back-references are not supported");
  compile();
}

void Pattern::compile() {
  auto fresh = std::make_unique<regex_t>();
  const int error = regcomp(fresh.get(), expression_.c_str(), REG_EXTENDED | REG_NOSUB);
  if (error != 0) {
    std::array<char, 200> reason;
    regerror(error, fresh.get(), reason.data(), reason.size());
    throw no_expression(expression_, reason.data());
  }
  compiled_.reset(fresh.release());
  seen_bytes_ = 0;
}

bool Pattern::matches(const std::string& line) {
  seen_bytes_ += line.size() + 1;
  if (seen_bytes_ > bytes_before_compiling_anew) compile();
  return regexec(compiled_.get(), line.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace hrvm::launch
