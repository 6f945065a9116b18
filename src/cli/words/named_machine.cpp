#include "cli/words/named_machine.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {

using base::Error;
using base::ErrorKind;

std::string usual_store(const sys::Host& host) {
  const auto variable = host.variable("HRVM_STORE").value_or("");
  return variable.empty() ? machine::default_store(host).string() : sys::absolute(variable).string();
}

machine::Store open_store(const Context& context, Missing missing) {
  if (missing == Missing::refused && context.arguments.has("--store") &&
      sys::status(context.store).type == sys::FileType::missing)
    throw Error(ErrorKind::not_found, fmt::format("there is no store at {}", context.store))
        .on(context.store)
        .hint("an import makes one; name a folder with machines in it, or leave --store out");
  machine::Store store(context.host, context.store);
  try {
    store.collect_throw_away();
  } catch (const Error& error) {
    // A store that cannot be written, or not even be read: the command itself says so where it matters.
    if (context.verbose) context.warn(error.message());
  }
  return store;
}

void check_new_name(const machine::Store& store, const std::string& name) {
  if (!machine::is_machine_name(name)) {
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is no machine's name", base::printable(name)))
        .hint(
            "a name starts with a letter or digit, goes on with those and . _ -, is in lower case, and at most 63 "
            "long");
  }
  if (!store.contains(name)) return;
  throw Error(ErrorKind::exists, fmt::format("there is a machine named {} already", name))
      .on(store.folder() / name)
      .hint("give another name; hrvm list shows those that are taken");
}

NamedMachine named_machine(std::string_view word) {
  const auto at = word.find('@');
  if (at == word.npos) return {std::string(word), std::nullopt};
  NamedMachine named{std::string(word.substr(0, at)), std::string(word.substr(at + 1))};
  if (!named.machine.empty() && !named.snapshot->empty() && !named.snapshot->starts_with('~')) return named;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" names no snapshot", base::printable(word)))
      .hint("a snapshot is named MACHINE@SNAP");
}

NamedMachine named_snapshot(std::string_view word) {
  auto named = named_machine(word);
  if (named.snapshot) return named;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" names a machine, not a snapshot", base::printable(word)))
      .hint(fmt::format("a snapshot is named MACHINE@SNAP; hrvm snapshot list {} shows those there are",
                        base::shell_quote(word)));
}

}  // namespace hrvm::cli
