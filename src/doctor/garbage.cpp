// Files that no definition names: what is left of an import, a change or a throw-away boot that was cut off.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::doctor {
namespace {

using sys::Path;

constexpr std::string_view remedy = "hrvm doctor --fix";

std::uint64_t allocated_bytes(const Path& path) {
  const auto status = sys::link_status(path);
  if (status.type != sys::FileType::directory) return status.allocated_bytes;
  std::uint64_t sum = 0;
  for (const auto& name : sys::list_directory(path)) sum += allocated_bytes(path / name);
  return sum;
}

std::string size_of(const std::vector<Path>& paths) {
  std::uint64_t sum = 0;
  for (const auto& path : paths) sum += allocated_bytes(path);
  return base::format_bytes(sum);
}

Results examine(const machine::Store& store, const machine::Machine& machine) {
  const auto found = store.garbage(machine);
  if (found.empty()) return {};
  return {{"garbage", Status::warning,
           fmt::format("{}: {} in {} that nothing names ({})", machine.name, size_of(found),
                       found.size() == 1 ? "a file" : fmt::format("{} files", found.size()), found[0].string()),
           std::string(remedy)}};
}

}  // namespace

Results check_garbage(const Circumstances& at) {
  auto problems =
      for_each_machine(at, "garbage", [&](const machine::Machine& machine) { return examine(at.store, machine); });
  const auto unfinished = at.machine ? std::vector<Path>{} : at.store.unfinished();
  if (!unfinished.empty()) {
    problems.push_back({"garbage", Status::warning,
                        fmt::format("{} left of imports or removals that did not end ({})", size_of(unfinished),
                                    unfinished[0].string()),
                        std::string(remedy)});
  }
  return or_ok("garbage", std::move(problems), "every file of the store is in use");
}

void fix_garbage(const Circumstances& at) {
  for (const auto& machine : machines(at)) {
    const auto lock = at.store.lock(machine.name);
    at.store.collect_garbage(launch::load_settled(at.host, at.store, machine.name));
  }
  if (!at.machine) at.store.collect_unfinished();
}

}  // namespace hrvm::doctor
