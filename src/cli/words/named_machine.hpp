// What commands do with the machine that their first word names, before they do their own work.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// Where this user's machines are kept without --store: what HRVM_STORE names, else the default. Absolute.
std::string usual_store(const sys::Host& host);

// The store of this invocation, with throw-away layers removed that a boot left behind and nobody uses.
// Error{not_found} where --store names what is not there, unless the command makes it.
enum class Missing { refused, made };
machine::Store open_store(const Context& context, Missing missing = Missing::refused);

// A name for a machine that is to be: Error{usage} where it can be none, Error{exists} where it is taken.
void check_new_name(const machine::Store& store, const std::string& name);

// "web" or "web@fresh".
struct NamedMachine {
  std::string machine;
  std::optional<std::string> snapshot;
};
// Error{usage} when there is nothing before or after the "@".
NamedMachine named_machine(std::string_view word);
// The same where a snapshot must be named: Error{usage} otherwise.
NamedMachine named_snapshot(std::string_view word);

}  // namespace hrvm::cli
