#include "hrvm/launch/autostart.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view links = "/etc/systemd/system", prefix = "hrvm@", suffix = ".service";
constexpr std::chrono::seconds limit{60};

// "hrvm@web.service" → "web"; empty for another unit, and for the template itself.
std::string machine_of(std::string_view unit) {
  if (!unit.starts_with(prefix) || !unit.ends_with(suffix)) return {};
  unit.remove_prefix(prefix.size());
  unit.remove_suffix(suffix.size());
  return std::string(unit);
}

}  // namespace

std::string unit_of(std::string_view machine) { return fmt::format("{}{}{}", prefix, machine, suffix); }

bool is_unit_installed(const sys::Host& host) {
  return host
      .first_existing({"/etc/systemd/system/hrvm@.service", "/run/systemd/system/hrvm@.service",
                       "/usr/local/lib/systemd/system/hrvm@.service", "/usr/lib/systemd/system/hrvm@.service",
                       "/lib/systemd/system/hrvm@.service"})
      .has_value();
}

std::vector<std::string> machines_with_unit(const sys::Host& host) {
  std::set<std::string> found;
  for (const auto& folder : sys::list_directory(host.path(links))) {
    if (!folder.ends_with(".wants") && !folder.ends_with(".requires")) continue;
    for (const auto& unit : sys::list_directory(host.path(links) / folder))
      if (auto machine = machine_of(unit); !machine.empty()) found.insert(std::move(machine));
  }
  return {found.begin(), found.end()};
}

bool has_unit(const sys::Host& host, std::string_view machine) {
  const auto all = machines_with_unit(host);
  return std::ranges::find(all, machine) != all.end();
}

bool is_snapshot_timer_enabled(const sys::Host& host) {
  const auto link = fmt::format("{}/timers.target.wants/{}", links, snapshot_timer);
  return sys::link_status(host.path(link)).type != sys::FileType::missing;
}

// As sd_booted(3) has it.
bool has_systemd(const sys::Host& host) {
  return sys::link_status(host.path("/run/systemd/system")).type == sys::FileType::directory;
}

machine::Path store_of_units() { return "/var/lib/hrvm"; }

bool is_store_of_units(const machine::Store& store) { return sys::is_same_file(store.folder(), store_of_units()); }

void enable_unit(const sys::Host& host, std::string_view machine, bool enabled) {
  const auto order = enabled ? "enable" : "disable";
  const auto result = host.runner.run({{"systemctl", "--quiet", order, unit_of(machine)}}, limit);
  if (result.exit_status == 0 && !result.timed_out) return;
  const auto said = result.timed_out ? "it does not answer" : base::printable(base::trim(result.err));
  throw Error(ErrorKind::external, fmt::format("systemctl {} {} failed: {}", order, unit_of(machine), said));
}

}  // namespace hrvm::launch
