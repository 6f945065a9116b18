#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

// Marks of files are named by their paths.
void rename_marks(std::vector<Mark>& marks, const std::string& from, const std::string& to) {
  for (auto& mark : marks)
    if (mark.what.starts_with(from + ": ")) mark.what.replace(0, from.size(), to);
}

BaseIdentity moved(const BaseIdentity& base, const BaseIdentity& there) {
  BaseIdentity next = there;
  next.size_bytes = base.size_bytes;
  next.table_uuid = base.table_uuid;
  next.sha256 = base.sha256;
  next.former_paths = base.former_paths;
  for (const auto& path : {base.path, base.stable_path})
    if (std::ranges::find(next.former_paths, path) == next.former_paths.end()) next.former_paths.push_back(path);
  return next;
}

base::Error is_another(const Machine& machine, const BaseIdentity& there, const std::string& why) {
  return base::Error(base::ErrorKind::refused,
                     fmt::format("{} is not what the layers of {} were made on: {}", there.path, machine.name, why))
      .on(there.path)
      .hint("import it as another machine: hrvm import " + base::shell_quote(there.path));
}

}  // namespace

Change plan_move_base(const Machine& machine, const BaseIdentity& there, const Fingerprint& now, const Drawn& drawn) {
  const auto& base = machine.definition.disks.front();
  if (there.kind != base.kind || there.format != base.format)
    throw is_another(machine, there,
                     fmt::format("it is a {} ({}), not a {} ({})", word(there.kind), word(there.format),
                                 word(base.kind), word(base.format)));
  Change change =
      begin_change(machine, "set base=" + there.path, fmt::format("set {} base={}", machine.name, there.path), drawn);
  Definition& next = change.definition;
  for (auto& [layer, fingerprint] : next.fingerprints) {
    rename_marks(fingerprint.marks, base.path, there.path);
    rename_marks(fingerprint.traces, base.path, there.path);
    const auto why = reasons(compare(fingerprint, now));
    if (why.empty()) fingerprint.traces = now.traces;
    if (!why.empty() && layer == next.chain(next.active).back())
      throw is_another(machine, there, base::join(why, "; "));
  }
  next.disks.front() = moved(base, there);
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
