// LaunchPlan: how a machine will run, as data. qemu_command and domain_xml render the same plan.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/guid.hpp"
#include "hrvm/base/words.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/launch/firmware.hpp"
#include "hrvm/launch/usb.hpp"
#include "hrvm/machine/settings.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/kvm.hpp"
#include "hrvm/sys/overlay.hpp"

namespace hrvm::launch {

using base::from_word;
using base::word;

enum class Accelerator { kvm, tcg };
constexpr std::array<std::string_view, 2> words_of(Accelerator) { return {"kvm", "tcg"}; }

enum class Console {
  automatic,  // serial line on the terminal, and VNC on a unix socket
  serial,
  vnc,
  gui,
  none,
};
constexpr std::array<std::string_view, 5> words_of(Console) { return {"auto", "serial", "vnc", "gui", "none"}; }

struct DiskNode {
  std::string path;
  probe::DiskFormat format = probe::DiskFormat::raw;
  bool is_device = false;  // block special file: QEMU's host_device driver
  friend bool operator==(const DiskNode&, const DiskNode&) = default;
};

// One of the machine's own disks: what the guest writes goes into its layer.
struct OwnDisk {
  std::vector<DiskNode> chain;  // active layer first, then the base, and what backs it where it is an image
  std::size_t base_nodes = 0;   // how many at the end of the chain are the base's; none of a disk that began empty
  bool base_direct = false;     // O_DIRECT: of devices
  std::uint64_t l2_cache_bytes = 0;
  block::SectorSizes sectors;
  std::string serial;  // the original's, at most 20 characters; empty: none

  const DiskNode& layer() const { return chain.front(); }
  std::size_t base_index() const { return chain.size() - base_nodes; }
};

// What QEMU keeps in memory of a disk's L2 tables.
std::uint64_t l2_cache_for(std::uint64_t virtual_bytes);

// A disk besides the machine's own, or a disc in a CD drive. The guest can only read it.
struct ExtraDisk {
  std::vector<DiskNode> chain;  // itself, then what backs it where it is an image
  block::SectorSizes sectors;
  std::string serial;  // the original's; empty: none
  bool is_disc = false;
  bool boots_first = false;  // before the machine's own disk
};

// What the serial line is connected to.
enum class SerialTarget {
  terminal,  // QEMU's own standard streams, with its monitor behind Ctrl-A C
  socket,    // serial_socket, a server that waits for nobody
  watched,   // serial_socket, and nothing runs before somebody has connected: not a byte is lost
  none,
};

// An emulated TPM 2.0: swtpm, which runs beside QEMU.
struct Tpm {
  std::string program;
  machine::Path state_folder;    // what it remembers
  std::string socket, pid_file;  // in the run folder
};

inline constexpr std::uint16_t first_vnc_port = 5900;  // of VNC's display 0; QEMU has none below

// The kernel of a machine on a folder: where it lies, or in which layer of it.
struct KernelFiles {
  std::vector<machine::Path> stack;  // what the guest sees, topmost first
  std::string version;               // empty where its name does not tell
  std::string kernel, initramfs;     // empty where there is none
};

using machine::root_tag;

// The guest's root is a folder of the host's, by virtiofs: virtiofsd, which runs beside QEMU, and the kernel that QEMU
// starts, as there is no boot loader.
struct SharedFolder {
  std::string program;
  machine::Path folder;                      // what is shared: the base, or where the overlay is mounted
  std::optional<sys::OverlayMount> overlay;  // for virtiofsd alone
  machine::Path base;
  std::string socket, log;  // in the run folder
  std::string command_line;
  KernelFiles own;        // what is started, as the guest's folder has it
  std::string initramfs;  // in the run folder: its own, and the modules for a root by virtiofs
};

// A folder besides that: a virtiofsd for it alone.
struct PlannedShare {
  std::string program;
  machine::Share what;
  machine::Path mount_point;  // where virtiofsd alone has it mounted, without what is mounted below it
  std::string socket, log;    // in the run folder
};

// QEMU, and what runs the guest's code in it.
struct Emulator {
  std::string program;
  Accelerator accelerator = Accelerator::tcg;
  std::string reason;  // why this accelerator
  std::string cpu;     // model and flags, as QEMU writes them; "host" for KVM, "max" for TCG by default
};

struct PlannedFirmware {
  std::optional<UefiFirmware> uefi;  // null: BIOS
  std::string nvram;                 // the machine's own variables; empty for BIOS
};

struct PlannedDisks {
  std::vector<OwnDisk> own;   // what it boots from first
  bool layer_direct = false;  // O_DIRECT: what the store's filesystem can
  std::vector<ExtraDisk> extra;
};

// How the network card of Hardware::network is made.
struct PlannedNetwork {
  std::optional<machine::Nic> nic;  // null: none
  std::string bridge_helper;        // program that joins it to a bridge; empty: QEMU's own
  std::vector<machine::PortForward> forwards;
};

// Where the guest is seen and typed to. Sockets lie in the run folder; empty: none.
struct PlannedConsoles {
  Console console = Console::automatic;
  SerialTarget serial = SerialTarget::terminal;
  std::string serial_socket;
  std::string log;       // what the guest prints on that line is kept here; empty: nowhere
  std::string reminder;  // is said on the terminal again where the firmware has wiped it; empty: nothing
  std::optional<std::uint16_t> vnc_port;  // on the loopback address; null: vnc_socket
  std::string vnc_socket;
};

// By what hrvm keeps hold of QEMU. All lies in run_folder.
struct RunControl {
  machine::Path run_folder;
  std::string qmp_socket;
  std::string guard_socket;  // QMP as well, for the guard
  std::string agent_socket;  // of the guest's agent; empty: a guest on a folder has none
  std::string pid_file;
};

// The processes that live and end with QEMU.
struct Companions {
  std::optional<Tpm> tpm;
  std::vector<PlannedShare> shares;
  std::optional<SharedFolder> folder;  // if set, disks.own[0] stands for it: its chain is the folder's layers
};

// What a guest had in memory, that goes on from there: a file of the store, which QEMU inherits.
struct PlannedMemory {
  machine::Path file;
  std::string machine_type;  // with its version
  int fd = -1;               // where QEMU reads it from, once that is open
  std::string sha256{};      // what the file is held to; empty: an older hrvm saved it
  std::string snapshot{};    // whose it is, for messages: "web@warm"
};

// How a machine will run: all that qemu_command and domain_xml need to know.
struct LaunchPlan {
  std::string name;
  base::Guid uuid;
  std::optional<std::string> snapshot;  // that it shows, in a throw-away layer
  Emulator emulator;
  machine::Hardware hardware;
  PlannedFirmware firmware;
  PlannedDisks disks;
  PlannedNetwork network;
  std::vector<UsbId> usb;  // devices of the host
  PlannedConsoles consoles;
  RunControl control;
  Companions companions;
  std::optional<PlannedMemory> memory{};  // null: it starts anew
  bool libvirt_as_root = false;  // libvirt's own user could not reach the files: its QEMU runs as root, as hrvm's does

  // Only KVM gives a guest the interfaces of Hyper-V.
  bool has_hyperv() const { return hardware.hyperv && emulator.accelerator == Accelerator::kvm; }
  // virtiofsd reads and writes the guest's memory.
  bool shares_memory() const { return companions.folder || !companions.shares.empty(); }
  bool has_secure_boot() const { return firmware.uefi && firmware.uefi->secure_boot != machine::SecureBoot::off; }
  bool has_display() const { return consoles.console != Console::serial && consoles.console != Console::none; }
};

struct LaunchRequest {
  std::optional<Accelerator> accelerator;  // null: what is proved
  machine::HardwareRequest hardware;       // of this boot alone
  std::vector<machine::Share> shares;
  bool without_own_shares = false;  // else those stand beside the machine's own
  std::vector<UsbId> usb;
  std::optional<std::uint16_t> vnc_port;
  Console console = Console::automatic;
  bool detach = false;
  bool supervised = false;  // hrvm stays and reads the serial line
};

// What --disk or --iso named, found on the host.
struct ExtraSource {
  probe::Disk disk;
  bool is_disc = false, boots_first = false;
};

// What planning needs to know of the host; gathered beforehand (gather.hpp).
struct LaunchCircumstances {
  std::string qemu;           // empty: not installed
  std::string swtpm;          // empty: not installed
  std::string bridge_helper;  // empty: not looked for
  std::string virtiofsd;      // empty: not installed
  bool is_root = false;
  KernelFiles kernel;  // of a machine on a folder
  sys::KvmProof kvm;
  std::vector<UefiFirmware> firmwares;
  std::optional<std::uint64_t> nvram_bytes;  // size of the variables that boot; null: none yet
  bool layer_direct = false;                 // O_DIRECT: what the store's filesystem can
  bool display = false;                      // there is one for --console gui
  bool libvirt_as_root = false;              // by the modes of the base and of the folders above the layers
  machine::Path run_folder;
  machine::Path console_log;       // where its serial line is kept; empty: nowhere
  machine::Path tpm_folder;        // what its TPM remembers, or will
  std::vector<probe::Disk> disks;  // where the machine's bases are now, in order; one without a path began empty
  std::vector<ExtraSource> extra_sources;
};

// Pure. `state` is what boots; `layers` are its files, active first (a throw-away layer before a snapshot's), of the
// first disk (machine::of_disk tells the others'); `nvram` is where its variables are or will be. Error{not_found} when
// QEMU, swtpm or a firmware that fits is not installed, with the package to install; Error{unsupported} for what cannot
// work together (BIOS, SATA or IDE with 4096-byte logical sectors, IDE with UEFI, more disks than a bus has places for,
// a window without a display); Error{usage} for a CPU model or forward that cannot be.
LaunchPlan plan_launch(const machine::Machine& machine, const machine::State& state,
                       const std::vector<machine::Path>& layers, const machine::Path& nvram,
                       const LaunchRequest& request, const LaunchCircumstances& circumstances);

// The argument vector: -nodefaults, -sandbox on, an explicit -blockdev graph in which all of the base is read-only with
// its format named. Nothing in it is probed, nothing needs a shell.
std::vector<std::string> qemu_command(const LaunchPlan& plan);

// A libvirt domain that is the same machine: explicit backingStore chain, the sources of a base that is an image with
// relabel='no' (libvirt would change its owner, and leave it so; of a device it changes only a copy in QEMU's own
// /dev), VNC on a socket, metadata by which hrvm knows it. Isolated means a network card whose cable is pulled. Ends
// with a newline. Error{unsupported} for what libvirt 9 cannot say: an NVMe disk, forwarded ports.
std::string domain_xml(const LaunchPlan& plan);

}  // namespace hrvm::launch
