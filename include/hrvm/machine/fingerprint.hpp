// The drift fingerprint: has the base moved under its layers? Partition tables, for each filesystem or member the
// fields that move when it is mounted or written, and a fixed sample of blocks. A few dozen small reads: cheap enough
// for every boot.
#pragma once

#include <filesystem>
#include <map>
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

// Blocks of 4 KiB, spread evenly.
inline constexpr std::size_t samples_of_a_disk = 32;

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
// mark too, "/images/web.qcow2: header and tables": what they hold, and when the file was written last. Traces of
// writes are read before all that they are traces to.
class FingerprintRun {
 public:
  // The bases of all disks; one without a path began empty, and has no marks.
  FingerprintRun(const sys::Host& host, const std::vector<probe::Disk>& bases);
  Fingerprint result();  // waits for it; once only

 private:
  std::string path_;
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<Mark> traces_;
  sys::ConfinedRun run_;
};
Fingerprint take_fingerprint(const sys::Host& host, const std::vector<probe::Disk>& bases);

struct MarkComparison {
  std::string what, then, now;  // empty: the mark is not there
  bool same = false;
  bool is_known = true;  // false: then and now cannot be compared
};
// A mark is the same as text. Where it was a hash alone, it is also with a text before that hash, which tells of what
// an earlier release did not look at.
std::vector<MarkComparison> compare(const Fingerprint& then, const Fingerprint& now);

// The traces that were kept, against those that there are. A count of written sectors is that of the host's start, and
// of when the disk was attached: of another one nothing is known. Of a file's other than its times nothing follows.
std::vector<MarkComparison> compare_traces(const Fingerprint& then, const Fingerprint& now);
// What they tell of, for people: "/images/web.img was written at 2026-03-01T12:00:00Z".
std::vector<std::string> touches(const std::vector<MarkComparison>& traces);
// What was compared, for people: "size", "partition table", "4 areas", "32 samples", "write counter".
std::vector<std::string> looked_at(const Fingerprint& marks, const std::vector<MarkComparison>& traces);

// What moved, for people: "p3 (ext4) was mounted or written since", "it is 1 GiB smaller than it was (…)".
std::vector<std::string> reasons(const std::vector<MarkComparison>& comparison);

enum class Drift { none, changed, missing };
std::string_view word(Drift drift);

struct BaseState {
  Drift drift = Drift::none;
  std::vector<probe::Disk> disks;  // where they are now, in order; one without a path began empty; none: missing
  std::vector<std::string> reasons;
  std::vector<MarkComparison> evidence;
  std::vector<MarkComparison> traces{};
  std::vector<std::string> touched{};    // it was written or changed, where all evidence of what it holds is equal
  std::vector<std::string> looked_at{};  // what was compared
  Fingerprint now{};
};

// Finds the base by its identity (WWN or serial and size and table UUID; by-id path, then the kernel's name, then all
// attached disks; an image by its path) and compares it with the fingerprint of the layer at the bottom of `state`'s
// chain. A base that cannot be read, or is an image of another format now, counts as missing, with the reason.
BaseState examine_base(const sys::Host& host, const Definition& definition, const State& state);
// The same for machine after machine: bases that several have in common are looked for, and read, once.
class BaseExaminer {
 public:
  explicit BaseExaminer(const sys::Host& host) : host_(host) {}
  BaseState examine(const Definition& definition, const State& state);

 private:
  struct Found {
    std::vector<probe::Disk> disks;
    std::string missing;  // why they are not there; empty: they are
    Fingerprint now;
  };
  Found look(const Definition& definition) const;
  Found look_or_say_why(const Definition& definition) const;

  const sys::Host& host_;
  std::map<std::string, Found> found_;  // by the identities of all disks
};
BaseKind base_kind(probe::DiskKind kind);
BaseFormat base_format(probe::DiskFormat format);
// All but what has to be read from it.
BaseIdentity identity_of(const probe::Disk& disk);
// Only finds it. Error{refused} for an image of another format.
std::optional<probe::Disk> find_base(const sys::Host& host, const BaseIdentity& base);
// All of the machine's. Error{not_found} for the first that is not there.
std::vector<probe::Disk> find_bases(const sys::Host& host, const Definition& definition);

// The files that an image is read from as far as they can be found, or the disk's path.
std::vector<std::string> base_files(const BaseIdentity& base);

// SHA-256 of all that a guest sees of the base, lower-case hex (libnettle).
std::string hash_base(const sys::Host& host, const probe::Disk& base, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
