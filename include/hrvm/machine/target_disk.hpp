// Whether a machine may be written onto a disk. All that speaks against it is final: no option overrides it.
#pragma once

#include <string>
#include <vector>

#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/probe/target_facts.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::machine {

struct TargetDisk {
  std::string named;  // as it was named, absolute
  probe::Disk disk;
  probe::TargetFacts facts;
  std::string table_uuid = {};  // of what is on it; empty for no table
};

// Throws the first that speaks against it:
//   unsupported  no block device
//   not_found    nothing is in it
//   refused      named by what may be another disk tomorrow; this host runs from it; it is, bears or lies on a base of
//                a machine in one of these stores, or on one of them; it could be a base that is not found; what bases
//                there are cannot be told, as a machine's definition is damaged; somebody uses it, or the file that it
//                lies in, be it only to read
//   permission   it is read-only
void check_target(const sys::Host& host, const std::vector<Store>& stores, const TargetDisk& target);

// What a person types to say that this disk is meant: its serial number; without one the name of the file behind a loop
// device, else the last part of its stable name.
struct Confirmation {
  std::string what;  // "serial number"
  std::string word;
};
Confirmation confirmation_of(const TargetDisk& target);

}  // namespace hrvm::machine
