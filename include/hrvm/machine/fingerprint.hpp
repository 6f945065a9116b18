// The drift fingerprint: has the base moved under its layers? Partition tables, for each filesystem or member the
// fields that move when it is mounted or written, and a fixed sample of blocks. A few dozen small reads: cheap enough
// for every boot.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/machine/definition.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::machine {

// Marks: "size", "partition table", "backup partition table", "boot area" (before the first partition), and for each
// partition "p3 (ext4): superblock" (write time, mount count, state, …) and "p3 (ext4): sample": what stands before the
// colon says which partition moved. Of a machine with several disks those of the others are named "disk 2, p3 (ext4):
// superblock"; a volume that lies on several is looked at once, as what it is.
Fingerprint read_fingerprint(const std::vector<block::BlockDevice*>& disks, base::Time now);

// The same of a folder: "etc: 1042 entries" and a hash of what lstat(2) gives for each, for all that lies in the folder
// itself. What is mounted in it is left out: a machine does not see that either.
Fingerprint read_folder_fingerprint(const std::filesystem::path& folder, base::Time now);

// What a guest sees of a base: its bytes, or what a qcow2 image and all that backs it show. Disks are read as their
// medium is, whatever the page cache holds of them (block::Access::fresh).
std::unique_ptr<block::BlockDevice> open_base(const sys::Host& host, const probe::Disk& base);

// Opens the base and reads in a confined child, from the moment that this is made. Of a qcow2 image each file has a
// mark too, "/images/web.qcow2: header and tables": what they hold, and when the file was written last.
class FingerprintRun {
 public:
  // The bases of all disks; one without a path began empty, and has no marks.
  FingerprintRun(const sys::Host& host, const std::vector<probe::Disk>& bases);
  Fingerprint result();  // waits for it; once only

 private:
  std::string path_;
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  sys::ConfinedRun run_;
};
Fingerprint take_fingerprint(const sys::Host& host, const std::vector<probe::Disk>& bases);

struct MarkComparison {
  std::string what, then, now;  // empty: the mark is not there
  bool same = false;
};
// A mark is the same as text. Where it was a hash alone, it is also with a text before that hash, which tells of what
// an earlier release did not look at.
std::vector<MarkComparison> compare(const Fingerprint& then, const Fingerprint& now);

// What moved, for people: "p3 (ext4) was mounted or written since", "it is 1 GiB smaller than it was (…)".
std::vector<std::string> reasons(const std::vector<MarkComparison>& comparison);

enum class Drift { none, changed, missing };
std::string_view word(Drift drift);

struct BaseState {
  Drift drift = Drift::none;
  std::vector<probe::Disk> disks;  // where they are now, in order; one without a path began empty; none: missing
  std::vector<std::string> reasons;
  std::vector<MarkComparison> evidence;
};

// Finds the base by its identity (WWN or serial and size and table UUID; by-id path, then the kernel's name, then all
// attached disks; an image by its path) and compares it with the fingerprint of the layer at the bottom of `state`'s
// chain. A base that cannot be read, or is an image of another format now, counts as missing, with the reason.
BaseState examine_base(const sys::Host& host, const Definition& definition, const State& state);
BaseKind base_kind(probe::DiskKind kind);
BaseFormat base_format(probe::DiskFormat format);
// Only finds it. Error{refused} for an image of another format.
std::optional<probe::Disk> find_base(const sys::Host& host, const BaseIdentity& base);
// All of the machine's. Error{not_found} for the first that is not there.
std::vector<probe::Disk> find_bases(const sys::Host& host, const Definition& definition);

// The files that an image is read from as far as they can be found, or the disk's path.
std::vector<std::string> base_files(const BaseIdentity& base);

// SHA-256 of all that a guest sees of the base, lower-case hex (libnettle).
std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
