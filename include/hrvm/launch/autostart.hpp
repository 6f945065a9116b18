// The unit of systemd that boots a machine when the host starts: an instance of hrvm@.service, which is installed with
// hrvm. What a machine wants stands in its definition; what the host does, in the links of systemd.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

std::string unit_of(std::string_view machine);  // "hrvm@web.service"
bool is_unit_installed(const sys::Host& host);
// The machines whose unit is started with the host; sorted.
std::vector<std::string> machines_with_unit(const sys::Host& host);
bool has_unit(const sys::Host& host, std::string_view machine);

// The one that makes automatic snapshots of the machines in root's own store.
inline constexpr std::string_view snapshot_timer = "hrvm-snapshot.timer";
bool is_snapshot_timer_enabled(const sys::Host& host);
// Without it nothing here is started by a unit.
bool has_systemd(const sys::Host& host);

// The unit runs as root, on root's own store.
bool is_store_of_units(const machine::Store& store);
machine::Path store_of_units();

// By systemctl, also where systemd does not run yet, as in a chroot. Error{not_found} without systemctl, {external}
// with what it says.
void enable_unit(const sys::Host& host, std::string_view machine, bool enabled);

}  // namespace hrvm::launch
