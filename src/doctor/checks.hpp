// The checks, each in the file of its name (check_base is base.cpp), and what they share.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "hrvm/doctor/check.hpp"

namespace hrvm::doctor {

using Results = std::vector<CheckResult>;

Results check_kvm(const Circumstances& at);
Results check_qemu(const Circumstances& at);
Results check_uefi(const Circumstances& at);
Results check_sectors(const Circumstances& at);
Results check_storage(const Circumstances& at);
Results check_space(const Circumstances& at);
Results check_journald(const Circumstances& at);
Results check_libvirtd(const Circumstances& at);
Results check_virtlogd(const Circumstances& at);
Results check_network(const Circumstances& at);
void fix_network(const Circumstances& at);
Results check_polkit(const Circumstances& at);
Results check_identity(const Circumstances& at);
void fix_identity(const Circumstances& at);
Results check_base(const Circumstances& at);
Results check_denials(const Circumstances& at);
Results check_layers(const Circumstances& at);
Results check_chain(const Circumstances& at);
Results check_domains(const Circumstances& at);
void fix_domains(const Circumstances& at);
Results check_autostart(const Circumstances& at);
Results check_auto_snapshot(const Circumstances& at);
Results check_auto_snapshot(const Circumstances& at, bool is_of_units);  // whether the timer is for this store
Results check_growth(const Circumstances& at);
Results check_modes(const Circumstances& at);
void fix_modes(const Circumstances& at);
Results check_garbage(const Circumstances& at);
void fix_garbage(const Circumstances& at);

// The machine asked for, or all.
std::vector<std::string> machine_names(const Circumstances& at);
// Those of them whose definition can be read.
std::vector<machine::Machine> machines(const Circumstances& at);
// The check that reports the others, and files that a definition names and that are not there.
Results check_definition(const Circumstances& at);
void fix_definition(const Circumstances& at);

// `problems`, or one result that says that there are none.
Results or_ok(std::string id, Results problems, std::string message);
// For each machine what `examine` finds wrong. What it throws is a problem of that machine.
Results for_each_machine(const Circumstances& at, const std::string& id,
                         const std::function<Results(const machine::Machine&)>& examine);

// What a machine's changes take, and what they may still take.
struct Growth {
  std::uint64_t allocated_bytes = 0;  // of all its files
  std::uint64_t room_bytes = 0;       // what the active layer can still take: the disk's size less what it has
  std::uint64_t free_bytes = 0;       // in the store
};
// A machine that has grown by more than what is left may do so again.
bool is_tight(const Growth& growth);

// libvirt's checks are left out where it is not installed.
bool has_libvirt(const sys::Host& host);
CheckResult skipped_without_libvirt(std::string id);
// Whether somebody answers at this socket of the host.
bool listens(const sys::Host& host, std::string_view path);

}  // namespace hrvm::doctor
