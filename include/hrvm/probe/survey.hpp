// Survey: what is on a disk and what of it boots, from its bytes alone.
//
// read_contents does the reading; survey_disk runs it in a confined child (sys/confined.hpp), so that a disk made to
// break a parser costs a Finding ("probe-died") about that disk and nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/finding.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/block/read_cache.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/probe/drivers.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/sys/confined.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/volume/volumes.hpp"

namespace hrvm::probe {

using volume::VolumeKind;

// A partition with what lies in it.
struct SurveyedPartition {
  Partition partition;
  std::string role;        // bios-boot esp boot root swap lvm zfs raid luks msr recovery data … ; empty where unknown
  std::string filesystem;  // libblkid's word; empty for none
  std::string label, uuid;
};

// Something bootable or a container that is not a partition: a logical volume, or what fills the whole disk (path
// "disk").
struct Volume {
  std::string path;
  VolumeKind kind = VolumeKind::disk;
  std::uint64_t size_bytes = 0;
  std::string filesystem, label, uuid;
  std::string details;  // "mirror of 2, last used by pve1"
};

struct EfiLoader {
  unsigned partition = 0;  // 0: the filesystem fills the whole disk
  std::string path;        // "/EFI/debian/shimx64.efi", as spelled on disk
  bool removable = false;  // \EFI\BOOT\BOOTX64.EFI: found without a boot entry
};

// "/EFI/BOOT/BOOTX64.EFI on p1".
std::string describe(const EfiLoader& loader);

struct BootEvidence {
  bool bios = false;
  std::string bios_reason;         // "boot code in sector 0 and a BIOS boot partition (p1)"
  std::vector<EfiLoader> loaders;  // 64-bit x86 loaders that really are where firmware looks
  bool uefi() const { return !loaders.empty(); }
  bool removable_loader() const;
};

// Whether a system's default kernel can drive the disks of a bus before its root is mounted, and how that is known.
struct DriverEvidence {
  Bus bus = Bus::virtio;
  Verdict verdict = Verdict::unknown;
  std::string because;  // "virtio_blk is in /boot/initrd.img-6.1.0-18-amd64"
};

// Whether a system has a driver for one of the network cards that a machine can have. Its root is mounted by then: what
// is among its modules will do.
struct NicEvidence {
  Nic model = Nic::virtio;
  Verdict verdict = Verdict::unknown;
  std::string because;  // "virtio_net is among the modules of the kernel 6.1.0-18-amd64"
};

// What its boot loader starts where nobody chooses.
struct BootConfiguration {
  std::string loader;             // "GRUB", "systemd-boot", "BLS", "extlinux"
  std::string source;             // the file that says so: "p2:/grub/grub.cfg"
  std::string entry;              // its title
  std::string kernel, initramfs;  // with their place: "p2:/vmlinuz-6.1.0-18-amd64"; empty where unknown
  std::string command_line;
  std::string root;     // root= as the name of a place: "p3", "pve/root"; empty where it is none of this disk
  std::string root_by;  // who says so: "command-line", "initramfs", "partition-type", "ostree"; empty for nobody
  bool serial_console = false;
  std::vector<std::pair<std::string, std::string>> others;  // what else its entry says, by the keys there
};

enum class SystemFamily { unknown, linux, windows, bsd };
constexpr std::array<std::string_view, 4> words_of(SystemFamily) { return {"unknown", "linux", "windows", "bsd"}; }

// What lies on another filesystem than a system's root.
struct SystemMount {
  std::string point;   // "/usr"
  std::string source;  // "p3", "p3:@usr"; of a deployment with the folder there: "p3:/ostree/deploy/fedora/var"
};

// One of the states in which a system is kept, of which one starts by default: a deployment, a generation, a snapshot,
// a slot.
struct SystemState {
  std::string name;       // as its kind names it
  std::string version;    // empty where it is not known
  std::string title;      // what its boot entry or its keeper calls it; empty for nothing
  std::int64_t date = 0;  // seconds since 1970; 0 where it is not known
  bool is_default = false;
  std::string root, folder;  // as of a System
};

struct System {
  std::string id;  // os-release ID, or "proxmox"
  std::string name, version, pretty;
  SystemFamily family = SystemFamily::unknown;
  std::optional<std::string> hostname;
  std::string architecture;  // by its init or kernel: "x86-64", "arm64"; empty where neither says
  std::string root;          // "p3", "pve/root"
  std::string folder;        // in `root`, of a deployment: "/ostree/deploy/fedora/deploy/9f….0"; else empty
  std::string kind;  // how its states are kept: "ostree", "nixos", "snapshots", "slots"; empty for one that has none
  std::vector<SystemMount> mounts;   // what was put together for it
  std::vector<SystemState> states;   // the default first; empty for one that has none
  std::vector<std::string> kernels;  // newest first
  Verdict virtio = Verdict::unknown;
  std::vector<DriverEvidence> drivers;  // empty where nothing was looked at
  std::vector<NicEvidence> nics;        // the best first, up to one that it surely drives; empty as above
  std::vector<Bus> named_buses;         // on which alone the disk has the name that its start looks for
  std::string named_by;                 // "the kernel is told root=/dev/sda2"
  std::optional<BootConfiguration> boot;
  bool encrypted = false, hibernated = false, needs_recovery = false;
  std::optional<std::string> inside;  // the volume that is a guest's disk, where it lies in one: "pve/vm-100-disk-0"
};

// Something that may lie on several disks: a volume group, an array, a pool.
struct DiskSet {
  VolumeKind kind = VolumeKind::lvm;
  std::string uuid, name;
  bool is_complete = true;           // all members lie on the disks that were read together
  std::vector<std::string> missing;  // that it counts on, as its other members know them; see volume::MemberSet
  std::vector<std::string> disks;    // that bear it, of several that were surveyed together; the one that boots first
};
// "volume group pve".
std::string describe(const DiskSet& set);
// "hrvm import FIRST --disk SECOND".
std::string import_command(const std::vector<std::string>& disks);

struct Contents {
  TableKind table = TableKind::none;
  std::string table_uuid;
  std::uint32_t logical_sector_bytes = 512;  // as the table counts
  std::vector<SurveyedPartition> partitions;
  std::vector<Volume> volumes;
  BootEvidence boot;
  std::vector<System> systems;  // guests' last
  std::vector<DiskSet> sets;
  std::vector<base::Finding> findings;
  block::ReadCount reads;                     // of the disk, and of others that were read along with it
  std::vector<SurveyedPartition> companions;  // on those others; known while they are read alone

  // The first that would start from this disk, none that lies in a guest's; null where there is none.
  const System* own_system() const;
  bool is_blank() const { return table == TableKind::none && volumes.empty() && systems.empty(); }
};

// How much of a disk is read.
enum class Thoroughness {
  quick,  // of an initramfs no more than its beginning: for its modules stands the configuration of what made it
  full,
};

// `companions`: other disks, which bear members of what lies on this one. Each is read through a cache of 8 MiB.
Contents read_contents(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions = {},
                       Thoroughness thoroughness = Thoroughness::full);

// Contents there and back through the pipe of a confined child.
base::Json to_json(const Contents& contents);
Contents contents_from_json(const base::Json& json);

struct Survey {
  Disk disk;  // sector sizes corrected by what the table says (a 4Kn image file)
  Contents contents;
};

// Opens the disk O_RDONLY and reads it in a confined child, from the moment that this is made. Error when it cannot be
// opened at all.
class SurveyRun {
 public:
  SurveyRun(const sys::Host& host, const Disk& disk, Thoroughness thoroughness = Thoroughness::full);
  Survey result();  // waits for it; once only

 private:
  Disk disk_;
  std::unique_ptr<block::BlockDevice> device_;
  sys::ConfinedRun run_;
};
Survey survey_disk(const sys::Host& host, const Disk& disk, Thoroughness thoroughness = Thoroughness::full);

// Several disks side by side, each in a child of its own. One that cannot be opened has its error, and costs no other.
// Disks that bear parts of the same thing are shown so ("disk-set"), and each what is on none of them; what lies on all
// of them together is reported with the one that boots, and with no other. Where they are to be one machine, that one
// is read with all others at hand, and what lies on them is not missing.
enum class Belonging { apart, one_machine };
struct SurveyAttempt {
  std::optional<Survey> survey;
  std::optional<base::Error> error;
};
std::vector<SurveyAttempt> survey_disks(const sys::Host& host, const std::vector<Disk>& disks,
                                        Thoroughness thoroughness = Thoroughness::full,
                                        Belonging belonging = Belonging::apart);

// A BlockDevice over a disk or image (any format hrvm reads), O_RDONLY.
std::unique_ptr<block::BlockDevice> open_disk(const sys::Host& host, const Disk& disk);

}  // namespace hrvm::probe
