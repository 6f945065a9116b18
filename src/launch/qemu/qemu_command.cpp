#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "launch/qemu/block_graph.hpp"
#include "launch/qemu/extra_disks.hpp"

namespace hrvm::launch {

namespace {

using machine::Bus;
using machine::MachineType;
using machine::NetworkKind;

class Arguments {
 public:
  void add(std::string option) { words_.push_back(std::move(option)); }
  void add(std::string option, std::string value) {
    add(std::move(option));
    add(std::move(value));
  }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

// A value among QEMU's comma-separated properties.
std::string property(std::string_view value) {
  std::string escaped;
  for (const char c : value) escaped += c == ',' ? ",," : std::string(1, c);
  return escaped;
}

std::string machine_option(const LaunchPlan& plan) {
  const std::string type(plan.memory ? plan.memory->machine_type : machine::word(plan.hardware.machine));
  std::string option = fmt::format("{},accel={}", type, word(plan.emulator.accelerator));
  option += ",dump-guest-core=off";
  if (plan.firmware.uefi) option += ",pflash0=pflash0,pflash1=pflash1";
  if (plan.has_secure_boot()) option += ",smm=on";
  // The firmware speaks on the serial line where there is no screen.
  if (!plan.has_display()) option += ",graphics=off";
  if (plan.shares_memory()) option += ",memory-backend=memory0";
  return option;
}

// The helper that joins a bridge is another program, and not everywhere run by root.
std::string sandbox_option(const LaunchPlan& plan) {
  if (plan.hardware.network.kind == NetworkKind::bridge) {
    return "on,obsolete=deny,elevateprivileges=allow,spawn=allow,resourcecontrol=deny";
  }
  return "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
}

// Without these a Windows counts time by a slow clock and mistakes a busy host for a fault.
constexpr std::string_view hyperv_flags =
    ",hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff,hv-vpindex=on,hv-runtime=on,hv-time=on,hv-synic=on,hv-stimer=on,"
    "hv-frequencies=on,hv-tlbflush=on,hv-ipi=on";

std::string cpu_option(const LaunchPlan& plan) {
  return plan.emulator.cpu + std::string(plan.has_hyperv() ? hyperv_flags : "");
}

// Variables that only the firmware's own code in SMM may write. It does not wake up from S3 safely.
void add_protected_flash(Arguments& arguments) {
  arguments.add("-global", "driver=cfi.pflash01,property=secure,value=on");
  arguments.add("-global", "driver=ICH9-LPC,property=disable_s3,value=1");
}

void add_machine(Arguments& arguments, const LaunchPlan& plan) {
  arguments.add(plan.emulator.program);
  arguments.add("-name", fmt::format("guest={}", property(plan.name)));
  arguments.add("-uuid", plan.uuid.text());
  arguments.add("-nodefaults");
  arguments.add("-no-user-config");
  arguments.add("-sandbox", sandbox_option(plan));
  arguments.add("-machine", machine_option(plan));
  if (plan.has_secure_boot()) add_protected_flash(arguments);
  arguments.add("-cpu", cpu_option(plan));
  arguments.add("-smp", fmt::format("{}", plan.hardware.cpus));
  arguments.add("-m", fmt::format("{}M", plan.hardware.memory_bytes / base::MiB));
  arguments.add("-rtc", fmt::format("base={}", machine::word(plan.hardware.clock)));
  arguments.add("-pidfile", plan.control.pid_file);
}

// The controller that the disk hangs on, where the machine has none of its own.
std::string controller(const machine::Hardware& hardware) {
  if (hardware.bus == Bus::scsi) return "virtio-scsi-pci,id=scsi0";
  if (hardware.bus == Bus::sata && hardware.machine == MachineType::pc) return "ich9-ahci,id=sata0";
  return {};
}

// The third SATA port of a q35 is the CD drive's, and so is the second channel of IDE.
std::string disk_model(const machine::Hardware& hardware, std::size_t number) {
  constexpr std::size_t port_of_disc = 2;
  const auto port = number < port_of_disc ? number : number + 1;
  switch (hardware.bus) {
    case Bus::virtio:
      return "virtio-blk-pci";
    case Bus::sata:
      return hardware.machine == MachineType::pc ? fmt::format("ide-hd,bus=sata0.{}", number)
                                                 : fmt::format("ide-hd,bus=ide.{}", port);
    case Bus::ide:
      return number == 0 ? "ide-hd,bus=ide.0" : fmt::format("ide-hd,bus=ide.0,unit={}", number);
    case Bus::nvme:
      return "nvme";
    case Bus::scsi:
      return "scsi-hd,bus=scsi0.0";
  }
  return {};
}

// QEMU's NVMe controller does not start without a serial number.
std::string serial_of(const LaunchPlan& plan, std::size_t number) {
  const auto& serial = plan.disks.own[number].serial;
  if (!serial.empty() || plan.hardware.bus != Bus::nvme) return serial;
  const auto drawn = "hrvm-" + plan.uuid.text().substr(0, 8);
  return number == 0 ? drawn : fmt::format("{}-{}", drawn, number + 1);
}

std::string disk_device(const LaunchPlan& plan, std::size_t number) {
  const auto& disk = plan.disks.own[number];
  auto device = fmt::format("{},id={},drive={}", disk_model(plan.hardware, number), disk_device_id(number),
                            node_name(plan, number, 0));
  if (const auto serial = serial_of(plan, number); !serial.empty()) device += ",serial=" + property(serial);
  device += fmt::format(",logical_block_size={},physical_block_size={}", disk.sectors.logical_bytes,
                        disk.sectors.physical_bytes);
  // A full store or a failing disk pauses the guest instead of handing it errors. NVMe has no such choice.
  if (plan.hardware.bus != Bus::nvme) device += ",werror=stop,rerror=stop";
  return device + fmt::format(",bootindex={}", boot_index_of_own_disk(plan) + int(number));
}

// virtiofsd reads and writes the guest's memory, which is for that shared with it.
void add_shared_memory(Arguments& arguments, const LaunchPlan& plan) {
  if (plan.shares_memory())
    arguments.add("-object", fmt::format("memory-backend-memfd,id=memory0,size={}M,share=on",
                                         plan.hardware.memory_bytes / base::MiB));
}

void add_virtiofs(Arguments& arguments, const std::string& id, const std::string& socket, std::string_view tag) {
  arguments.add("-chardev", fmt::format("socket,id={},path={}", id, property(socket)));
  arguments.add("-device", fmt::format("vhost-user-fs-pci,chardev={},tag={},queue-size=1024", id, tag));
}

void add_shares(Arguments& arguments, const LaunchPlan& plan) {
  for (std::size_t number = 0; number < plan.companions.shares.size(); ++number) {
    const auto& share = plan.companions.shares[number];
    add_virtiofs(arguments, fmt::format("share{}", number), share.socket, share.what.tag);
  }
}

void add_folder(Arguments& arguments, const LaunchPlan& plan) {
  add_virtiofs(arguments, "root0", plan.companions.folder->socket, root_tag);
  arguments.add("-kernel", plan.companions.folder->own.kernel);
  arguments.add("-initrd", plan.companions.folder->initramfs);
  arguments.add("-append", plan.companions.folder->command_line);
}

void add_disk(Arguments& arguments, const LaunchPlan& plan) {
  add_shared_memory(arguments, plan);
  if (plan.companions.folder) return add_folder(arguments, plan);
  for (const auto& node : firmware_nodes(plan)) arguments.add("-blockdev", base::to_text(node, -1));
  for (const auto& node : disk_nodes(plan)) arguments.add("-blockdev", base::to_text(node, -1));
  if (const auto device = controller(plan.hardware); !device.empty()) arguments.add("-device", device);
  for (std::size_t number = 0; number < plan.disks.own.size(); ++number)
    arguments.add("-device", disk_device(plan, number));
}

std::string netdev(const LaunchPlan& plan) {
  const auto& network = plan.hardware.network;
  if (network.kind == NetworkKind::bridge) {
    const auto helper = plan.network.bridge_helper.empty() ? "" : ",helper=" + property(plan.network.bridge_helper);
    return "bridge,id=net0,br=" + property(network.bridge) + helper;
  }
  std::string option = network.kind == NetworkKind::isolated ? "user,id=net0,restrict=on" : "user,id=net0";
  for (const auto& forward : plan.network.forwards) {
    option += fmt::format(",hostfwd=tcp:127.0.0.1:{}-:{}", forward.host_port, forward.guest_port);
  }
  return option;
}

std::string_view nic_device(machine::Nic nic) {
  return nic == machine::Nic::virtio ? "virtio-net-pci" : machine::word(nic);
}

// Without a boot ROM: the disk boots, and reading one takes time.
void add_network(Arguments& arguments, const LaunchPlan& plan) {
  if (!plan.network.nic) return;
  arguments.add("-netdev", netdev(plan));
  const auto mac = plan.hardware.mac.empty() ? "" : ",mac=" + plan.hardware.mac;
  arguments.add("-device", fmt::format("{},id=nic0,netdev=net0{},romfile=", nic_device(*plan.network.nic), mac));
}

void add_display(Arguments& arguments, const LaunchPlan& plan) {
  arguments.add("-display", plan.consoles.console == Console::gui ? "gtk" : "none");
  if (!plan.has_display()) return;
  if (!plan.consoles.vnc_socket.empty()) arguments.add("-vnc", "unix:" + property(plan.consoles.vnc_socket));
  if (plan.consoles.vnc_port)
    arguments.add("-vnc", fmt::format("127.0.0.1:{}", *plan.consoles.vnc_port - first_vnc_port));
  arguments.add("-device", "VGA,id=video0");
  arguments.add("-device", "qemu-xhci,id=usb0");
  arguments.add("-device", "usb-tablet,bus=usb0.0");
  arguments.add("-device", "usb-kbd,bus=usb0.0");
}

std::string socket_chardev(const std::string& id, const std::string& path, bool wait) {
  return fmt::format("socket,id={},path={},server=on,wait={}", id, property(path), wait ? "on" : "off");
}

void add_serial(Arguments& arguments, const LaunchPlan& plan) {
  if (plan.consoles.serial == SerialTarget::none) return;
  const bool terminal = plan.consoles.serial == SerialTarget::terminal;
  const bool watched = plan.consoles.serial == SerialTarget::watched;
  const auto log = plan.consoles.log.empty() ? "" : ",logappend=on,logfile=" + property(plan.consoles.log);
  arguments.add("-chardev", (terminal ? "stdio,id=serial0,mux=on,signal=off"
                                      : socket_chardev("serial0", plan.consoles.serial_socket, watched)) +
                                log);
  arguments.add("-serial", "chardev:serial0");
  if (terminal) arguments.add("-mon", "chardev=serial0,mode=readline");
}

void add_control(Arguments& arguments, const LaunchPlan& plan) {
  arguments.add("-chardev", socket_chardev("qmp0", plan.control.qmp_socket, false));
  arguments.add("-mon", "chardev=qmp0,mode=control");
  arguments.add("-chardev", socket_chardev("guard0", plan.control.guard_socket, false));
  arguments.add("-mon", "chardev=guard0,mode=control");
}

// By which the guest's agent is asked to hold its filesystems still. A guest that has no driver for it does not mind.
void add_agent(Arguments& arguments, const LaunchPlan& plan) {
  if (plan.control.agent_socket.empty()) return;
  arguments.add("-chardev", socket_chardev("agent0", plan.control.agent_socket, false));
  arguments.add("-device", "virtio-serial-pci,id=serial-bus0");
  arguments.add("-device", "virtserialport,bus=serial-bus0.0,chardev=agent0,name=org.qemu.guest_agent.0");
}

void add_entropy(Arguments& arguments) {
  arguments.add("-object", "rng-random,id=rng0,filename=/dev/urandom");
  arguments.add("-device", "virtio-rng-pci,rng=rng0");
}

void add_usb_devices(Arguments& arguments, const LaunchPlan& plan) {
  for (const auto& id : plan.usb)
    arguments.add("-device",
                  fmt::format("usb-host,bus=usb0.0,vendorid=0x{:04x},productid=0x{:04x}", id.vendor, id.product));
}

void add_extra_disks(Arguments& arguments, const LaunchPlan& plan) {
  for (const auto& node : extra_nodes(plan)) arguments.add("-blockdev", base::to_text(node, -1));
  for (const auto& device : extra_devices(plan)) arguments.add("-device", device);
}

void add_tpm(Arguments& arguments, const LaunchPlan& plan) {
  if (!plan.companions.tpm) return;
  arguments.add("-chardev", "socket,id=tpm0,path=" + property(plan.companions.tpm->socket));
  arguments.add("-tpmdev", "emulator,id=tpm-backend0,chardev=tpm0");
  arguments.add("-device", "tpm-crb,id=tpm-device0,tpmdev=tpm-backend0");
}

}  // namespace

std::vector<std::string> qemu_command(const LaunchPlan& plan) {
  Arguments arguments;
  add_machine(arguments, plan);
  add_disk(arguments, plan);
  add_network(arguments, plan);
  add_entropy(arguments);
  add_tpm(arguments, plan);
  add_display(arguments, plan);
  add_extra_disks(arguments, plan);
  add_usb_devices(arguments, plan);
  add_agent(arguments, plan);
  // Behind the others, which so stay where the guest knows them.
  add_shares(arguments, plan);
  add_serial(arguments, plan);
  add_control(arguments, plan);
  if (plan.memory) arguments.add("-incoming", fmt::format("fd:{}", plan.memory->fd));
  return arguments.take();
}

}  // namespace hrvm::launch
