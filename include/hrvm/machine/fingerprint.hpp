// The drift fingerprint: has the base moved under its layers? Partition tables, for each filesystem or member the fields that
// move when it is mounted or written, and a fixed sample of blocks. A few dozen small reads: cheap enough for every boot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/machine/definition.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::machine {

// Marks: "size", "partition table", "backup partition table", "p3 ext4 superblock" (write time, mount count, state, …),
// "p2 vfat …", "p3 sample" …: the first word says which partition moved.
Fingerprint read_fingerprint(block::BlockDevice& base, base::Time now);

// Opens the base afresh (block::Access::fresh) and reads in a confined child.
Fingerprint take_fingerprint(const sys::Host& host, const probe::Disk& base);

struct MarkComparison {
  std::string what, then, now;  // empty: the mark is not there
  bool same = false;
};
std::vector<MarkComparison> compare(const Fingerprint& then, const Fingerprint& now);

enum class Drift { none, changed, missing };
std::string_view word(Drift drift);

struct BaseState {
  Drift drift = Drift::none;
  std::optional<probe::Disk> disk;      // where it is now
  std::vector<std::string> reasons;     // "p3 (ext4) was mounted or written since", "the disk is 1 GiB smaller"
  std::vector<MarkComparison> evidence;
};

// Finds the base by its identity (WWN or serial and size and table UUID; by-id path, then the kernel's name, then all
// attached disks; an image by its path) and compares it with the fingerprint of the layer at the bottom of `state`'s chain.
BaseState examine_base(const sys::Host& host, const Definition& definition, const State& state);
// Only finds it.
std::optional<probe::Disk> find_base(const sys::Host& host, const BaseIdentity& base);

// SHA-256 of the whole base, lower-case hex (libgcrypt).
std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
