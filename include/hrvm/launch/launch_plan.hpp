// LaunchPlan: how a machine will run, as data. qemu_command and domain_xml render the same plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/launch/firmware.hpp"
#include "hrvm/machine/definition.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/kvm.hpp"

namespace hrvm::launch {

enum class Accelerator { kvm, tcg };
enum class Console {
  automatic,  // serial line on the terminal, and VNC on a unix socket
  serial, vnc, gui, none,
};
std::optional<Console> console_from(std::string_view word);

struct DiskNode {
  std::string path;
  std::string format;         // "qcow2" or "raw"
  bool is_device = false;     // block special file: QEMU's host_device driver
};

// Chosen by trying, on the store's filesystem and on the base.
struct CacheMode {
  bool direct = false;            // O_DIRECT works
  std::string aio = "threads";    // "io_uring", "native", "threads"
};

struct PortForward { std::uint16_t host_port = 0, guest_port = 0; };
std::optional<PortForward> port_forward_from(std::string_view word);  // "2222:22"

// What the serial line is connected to.
enum class SerialTarget {
  terminal,  // QEMU's own standard streams
  socket,    // RUN/console.sock, a server that waits for nobody
  file,      // the supervisor's log: RUN/console.log
  none,
};

struct LaunchPlan {
  std::string name;
  base::Guid uuid;
  std::string qemu;               // program
  Accelerator accelerator = Accelerator::tcg;
  std::string accelerator_reason;
  std::string cpu;                // model and flags, as QEMU writes them; "host" for KVM, "max" for TCG by default
  machine::Hardware hardware;
  std::optional<UefiFirmware> firmware;  // null: BIOS
  std::string nvram;              // the machine's own variables; empty for BIOS
  std::vector<DiskNode> chain;    // active layer first, the base last
  CacheMode layer_cache, base_cache;
  std::uint64_t l2_cache_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  block::SectorSizes sectors;
  std::string disk_serial;        // the original's, at most 20 characters; empty: none
  std::vector<PortForward> forwards;
  Console console = Console::automatic;
  SerialTarget serial = SerialTarget::terminal;
  bool detached = false;
  machine::Path run_folder;       // sockets and pid
  std::string qmp_socket, vnc_socket, console_socket;  // in run_folder; empty: none
};

struct LaunchRequest {
  std::optional<Accelerator> accelerator;  // null: what is proved
  std::optional<std::uint64_t> memory_bytes;
  std::optional<unsigned> cpus;
  std::optional<std::string> cpu;
  std::optional<machine::Firmware> firmware;
  std::optional<machine::Bus> bus;
  std::optional<machine::Network> network;
  std::vector<PortForward> forwards;
  Console console = Console::automatic;
  bool detach = false;
  bool supervised = false;                 // hrvm stays: serial to where it can be watched
};

// What planning needs to know of the host; gathered beforehand.
struct LaunchCircumstances {
  std::string qemu;
  sys::KvmProof kvm;
  std::vector<UefiFirmware> firmwares;
  CacheMode layer_cache, base_cache;
  bool display = false;                    // there is one for --console gui
  machine::Path run_folder;
  probe::Disk base;                        // where it is now
  std::uint64_t host_memory_bytes = 0;
};
LaunchCircumstances gather(const sys::Host& host, const machine::Machine& machine, const probe::Disk& base);

// Pure. `state` is what boots (active, or a snapshot's with a throw-away layer before it in `layers`). Error{not_found} when
// QEMU or a firmware that fits is not installed, with the package to install; Error{unsupported} for what cannot work together (BIOS
// with 4096-byte logical sectors, ide with them).
LaunchPlan plan_launch(const machine::Machine& machine, const machine::State& state, const std::vector<machine::Path>& layers,
                       const std::string& nvram, const LaunchRequest& request, const LaunchCircumstances& circumstances);

// The argument vector: -nodefaults, -sandbox on, an explicit -blockdev graph whose base node is read-only with its format
// named. Nothing in it is probed, nothing needs a shell.
std::vector<std::string> qemu_command(const LaunchPlan& plan);

// A libvirt domain that is the same machine: explicit backingStore chain, the base's source with relabel='no' (libvirt would
// change the owner of an image file), graphics on a socket, metadata by which hrvm knows it. Ends with a newline.
std::string domain_xml(const LaunchPlan& plan);

}  // namespace hrvm::launch
