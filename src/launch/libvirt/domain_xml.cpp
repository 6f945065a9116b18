#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <pugixml.hpp>
#include <sstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "launch/libvirt/domain_mark.hpp"
#include "launch/qemu/extra_disks.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Bus;
using machine::NetworkKind;
using pugi::xml_node;

constexpr auto usual_emulator = "/usr/bin/qemu-system-x86_64";

struct Attribute {
  const char* name;
  std::string value;
};

xml_node add(xml_node parent, const char* name, std::initializer_list<Attribute> attributes = {}) {
  xml_node node = parent.append_child(name);
  for (const auto& attribute : attributes) node.append_attribute(attribute.name) = attribute.value.c_str();
  return node;
}

xml_node add_text(xml_node parent, const char* name, const std::string& text,
                  std::initializer_list<Attribute> attributes = {}) {
  xml_node node = add(parent, name, attributes);
  node.text() = text.c_str();
  return node;
}

void check_formats(const std::vector<DiskNode>& chain) {
  for (const auto& node : chain)
    if (node.format == probe::DiskFormat::vhdx)
      throw Error(ErrorKind::unsupported, fmt::format("libvirt does not know the format of {}, VHDX", node.path))
          .hint("boot without libvirt");
}

void check_that_libvirt_can(const LaunchPlan& plan) {
  if (plan.hardware.bus == Bus::nvme) {
    throw Error(ErrorKind::unsupported, "libvirt has no emulated NVMe disks")
        .hint("use --bus virtio, or --bus sata where its system has no driver for that; or boot it without libvirt");
  }
  if (!plan.network.forwards.empty()) {
    throw Error(ErrorKind::unsupported, "libvirt does not forward ports into a user network")
        .hint("boot without libvirt, or reach the guest by an address of its own: --net bridge=virbr0 --forward none");
  }
  for (const auto& disk : plan.disks.own) check_formats(disk.chain);
  for (const auto& disk : plan.disks.extra) check_formats(disk.chain);
}

void check_shares(const LaunchPlan& plan) {
  if (plan.companions.shares.empty()) return;
  throw Error(ErrorKind::unsupported,
              fmt::format("a folder is shared with {} by hrvm itself, and not by libvirt, which cannot share one for "
                          "reading only",
                          plan.name))
      .hint(fmt::format("boot without libvirt, or without the folder: --share-folder none, or for good "
                        "hrvm set {} share=none",
                        plan.name));
}

void add_identity(xml_node domain, const LaunchPlan& plan) {
  add_text(domain, "name", plan.name);
  add_text(domain, "uuid", plan.uuid.text());
  add(add(domain, "metadata"), mark_element, {{mark_namespace_attribute, mark_namespace}, {"name", plan.name}});
  add_text(domain, "memory", fmt::format("{}", plan.hardware.memory_bytes / base::MiB), {{"unit", "MiB"}});
  add_text(domain, "vcpu", fmt::format("{}", plan.hardware.cpus));
}

void add_firmware(xml_node domain, const LaunchPlan& plan) {
  const auto os = add(domain, "os");
  add_text(os, "type", "hvm", {{"arch", "x86_64"}, {"machine", std::string(machine::word(plan.hardware.machine))}});
  if (!plan.firmware.uefi) return;
  auto loader = add_text(os, "loader", plan.firmware.uefi->code_path, {{"readonly", "yes"}, {"type", "pflash"}});
  if (plan.has_secure_boot()) loader.append_attribute("secure") = "yes";
  add_text(os, "nvram", plan.firmware.nvram);
}

struct CpuFlag {
  std::string name, policy;
};

// "+aes", "-vmx", "aes=on", "vmx=off".
CpuFlag cpu_flag_from(std::string_view word) {
  if (word.starts_with('+')) return {std::string(word.substr(1)), "require"};
  if (word.starts_with('-')) return {std::string(word.substr(1)), "disable"};
  if (word.ends_with("=on")) return {std::string(word.substr(0, word.size() - 3)), "require"};
  if (word.ends_with("=off")) return {std::string(word.substr(0, word.size() - 4)), "disable"};
  throw Error(ErrorKind::unsupported, fmt::format("libvirt has no CPU property '{}'", word)).hint("use +FLAG or -FLAG");
}

xml_node add_cpu_model(xml_node domain, std::string_view model) {
  if (model == "host") return add(domain, "cpu", {{"mode", "host-passthrough"}});
  if (model == "max") return add(domain, "cpu", {{"mode", "maximum"}});
  const auto cpu = add(domain, "cpu", {{"mode", "custom"}, {"match", "exact"}, {"check", "none"}});
  add_text(cpu, "model", std::string(model), {{"fallback", "forbid"}});
  return cpu;
}

void add_cpu(xml_node domain, const LaunchPlan& plan) {
  const auto words = base::split(plan.emulator.cpu, ',');
  const auto cpu = add_cpu_model(domain, words[0]);
  for (std::size_t index = 1; index < words.size(); ++index) {
    const auto flag = cpu_flag_from(words[index]);
    add(cpu, "feature", {{"policy", flag.policy}, {"name", flag.name}});
  }
}

// As qemu_command has them.
void add_hyperv(xml_node features) {
  const auto hyperv = add(features, "hyperv", {{"mode", "custom"}});
  for (const auto* name :
       {"relaxed", "vapic", "vpindex", "runtime", "synic", "stimer", "frequencies", "tlbflush", "ipi"})
    add(hyperv, name, {{"state", "on"}});
  add(hyperv, "spinlocks", {{"state", "on"}, {"retries", "8191"}});
}

void add_clock(xml_node domain, const LaunchPlan& plan) {
  const auto clock = add(domain, "clock", {{"offset", std::string(machine::word(plan.hardware.clock))}});
  if (plan.has_hyperv()) add(clock, "timer", {{"name", "hypervclock"}, {"present", "yes"}});
}

void add_behaviour(xml_node domain, const LaunchPlan& plan) {
  const auto features = add(domain, "features");
  add(features, "acpi");
  add(features, "apic");
  if (plan.has_secure_boot()) add(features, "smm", {{"state", "on"}});
  if (plan.has_hyperv()) add_hyperv(features);
  add_cpu(domain, plan);
  add_clock(domain, plan);
  add_text(domain, "on_poweroff", "destroy");
  add_text(domain, "on_reboot", "restart");
  add_text(domain, "on_crash", "destroy");
}

void add_driver(xml_node disk, const LaunchPlan& plan, const OwnDisk& own) {
  const auto driver = add(disk, "driver",
                          {{"name", "qemu"},
                           {"type", std::string(word(own.layer().format))},
                           {"cache", plan.disks.layer_direct ? "none" : "writeback"},
                           {"error_policy", "stop"},
                           {"rerror_policy", "stop"},
                           {"io", "threads"},
                           {"discard", "unmap"},
                           {"detect_zeroes", "unmap"}});
  const auto size = fmt::format("{}", own.l2_cache_bytes);
  add_text(add(driver, "metadata_cache"), "max_size", size, {{"unit", "bytes"}});
}

const char* storage_type(const DiskNode& node) { return node.is_device ? "block" : "file"; }

xml_node add_source(xml_node parent, const DiskNode& node) {
  return add(parent, "source", {{node.is_device ? "dev" : "file", node.path}});
}

// Every link of the chain is named, and the end as well, so that libvirt opens none to look for more.
// From the node `foreign` on the files are not the machine's.
void add_chain(xml_node disk, const LaunchPlan& plan, const std::vector<DiskNode>& chain, std::size_t foreign) {
  xml_node above = disk;
  for (std::size_t index = 0; index < chain.size(); ++index) {
    const auto& node = chain[index];
    if (index > 0) {
      above = add(above, "backingStore", {{"type", storage_type(node)}});
      add(above, "format", {{"type", std::string(word(node.format))}});
    }
    const auto source = add_source(above, node);
    const bool is_foreign_file = index >= foreign && !node.is_device;
    // Where nothing is relabelled at all, libvirt refuses to hear so again.
    if (is_foreign_file && !plan.libvirt_as_root) add(source, "seclabel", {{"model", "dac"}, {"relabel", "no"}});
  }
  add(above, "backingStore");
}

struct Target {
  const char *letters, *bus;
};
Target target_on(Bus bus) {
  switch (bus) {
    case Bus::virtio:
      return {"vd", "virtio"};
    case Bus::sata:
      return {"sd", "sata"};
    case Bus::scsi:
      return {"sd", "scsi"};
    case Bus::ide:
      return {"hd", "ide"};
    case Bus::nvme:
      break;
  }
  return {"", ""};
}

// What libvirt's schema lets a serial number be made of.
bool is_serial_for_libvirt(std::string_view serial) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) || std::strchr("_.+- ", c) != nullptr; };
  return !serial.empty() && std::ranges::all_of(serial, allowed);
}

void add_sectors(xml_node disk, const block::SectorSizes& sectors) {
  add(disk, "blockio",
      {{"logical_block_size", fmt::format("{}", sectors.logical_bytes)},
       {"physical_block_size", fmt::format("{}", sectors.physical_bytes)}});
}

// "a" to "z", then "aa". The machine's own disks have the first.
std::string letters_of(std::size_t place) {
  const std::string last(1, char('a' + place % 26));
  return place < 26 ? last : char('a' + place / 26 - 1) + last;
}

void add_target(xml_node disk, const Target& target, std::size_t place) {
  add(disk, "target", {{"dev", target.letters + letters_of(place)}, {"bus", target.bus}});
}

void add_disk(xml_node devices, const LaunchPlan& plan, std::size_t number) {
  const auto& own = plan.disks.own[number];
  const auto disk = add(devices, "disk", {{"type", storage_type(own.layer())}, {"device", "disk"}});
  add_driver(disk, plan, own);
  add_chain(disk, plan, own.chain, own.base_index());
  add_target(disk, target_on(plan.hardware.bus), number);
  add_sectors(disk, own.sectors);
  if (is_serial_for_libvirt(own.serial)) add_text(disk, "serial", own.serial);
  add(disk, "boot", {{"order", fmt::format("{}", boot_index_of_own_disk(plan) + int(number) + 1)}});
}

void add_disks(xml_node devices, const LaunchPlan& plan) {
  if (plan.hardware.bus == Bus::scsi) {
    add(devices, "controller", {{"type", "scsi"}, {"index", "0"}, {"model", "virtio-scsi"}});
  }
  for (std::size_t number = 0; number < plan.disks.own.size(); ++number) add_disk(devices, plan, number);
}

// As qemu_command has them: QEMU's SATA disks cannot be read-only.
Target extra_target(const LaunchPlan& plan, const ExtraDisk& disk) {
  const bool pc = plan.hardware.machine == machine::MachineType::pc;
  if (disk.is_disc) return pc ? Target{"hd", "ide"} : Target{"sd", "sata"};
  switch (plan.hardware.bus) {
    case Bus::virtio:
      return {"vd", "virtio"};
    case Bus::scsi:
      return {"sd", "scsi"};
    case Bus::sata:
    case Bus::ide:
    case Bus::nvme:
      break;
  }
  return {"sd", "usb"};
}

// Behind the machine's own disks. IDE has four places, and the disc is to be the second channel's first.
std::size_t extra_place(const LaunchPlan& plan, std::size_t extra) {
  const bool on_ide = plan.hardware.machine == machine::MachineType::pc && plan.disks.extra[extra].is_disc;
  return on_ide ? 2 : plan.disks.own.size() + extra;
}

void add_extra_disk(xml_node devices, const LaunchPlan& plan, std::size_t extra) {
  const auto& extra_disk = plan.disks.extra[extra];
  const auto& node = extra_disk.chain.front();
  const auto target = extra_target(plan, extra_disk);
  const auto disk =
      add(devices, "disk", {{"type", storage_type(node)}, {"device", extra_disk.is_disc ? "cdrom" : "disk"}});
  add(disk, "driver", {{"name", "qemu"}, {"type", std::string(word(node.format))}});
  add_chain(disk, plan, extra_disk.chain, 0);
  add_target(disk, target, extra_place(plan, extra));
  if (!extra_disk.is_disc) add_sectors(disk, extra_disk.sectors);
  add(disk, "readonly");
  if (is_serial_for_libvirt(extra_disk.serial)) add_text(disk, "serial", extra_disk.serial);
  if (extra_disk.boots_first) add(disk, "boot", {{"order", "1"}});
}

std::string nic_model(machine::Nic nic) {
  return nic == machine::Nic::virtio ? "virtio" : std::string(machine::word(nic));
}

void add_network(xml_node devices, const LaunchPlan& plan) {
  if (!plan.network.nic) return;
  const auto& network = plan.hardware.network;
  const bool bridge = network.kind == NetworkKind::bridge;
  const auto interface = add(devices, "interface", {{"type", bridge ? "bridge" : "user"}});
  if (!plan.hardware.mac.empty()) add(interface, "mac", {{"address", plan.hardware.mac}});
  if (bridge) add(interface, "source", {{"bridge", network.bridge}});
  add(interface, "model", {{"type", nic_model(*plan.network.nic)}});
  if (network.kind == NetworkKind::isolated) add(interface, "link", {{"state", "down"}});
  add(interface, "rom", {{"enabled", "no"}});
}

void add_screen(xml_node devices, const LaunchPlan& plan) {
  if (!plan.consoles.vnc_port) {
    add(add(devices, "graphics", {{"type", "vnc"}}), "listen", {{"type", "socket"}});
    return;
  }
  const auto port = fmt::format("{}", *plan.consoles.vnc_port);
  const auto graphics = add(devices, "graphics", {{"type", "vnc"}, {"port", port}, {"autoport", "no"}});
  add(graphics, "listen", {{"type", "address"}, {"address", "127.0.0.1"}});
}

void add_usb_devices(xml_node devices, const LaunchPlan& plan) {
  for (const auto& id : plan.usb) {
    const auto source = add(add(devices, "hostdev", {{"mode", "subsystem"}, {"type", "usb"}}), "source");
    add(source, "vendor", {{"id", fmt::format("0x{:04x}", id.vendor)}});
    add(source, "product", {{"id", fmt::format("0x{:04x}", id.product)}});
  }
}

void add_display(xml_node devices, const LaunchPlan& plan) {
  if (!plan.has_display()) {
    add(devices, "controller", {{"type", "usb"}, {"model", wants_usb(plan) ? "qemu-xhci" : "none"}});
    add(add(devices, "video"), "model", {{"type", "none"}});
    return;
  }
  add(devices, "controller", {{"type", "usb"}, {"model", "qemu-xhci"}});
  add(devices, "input", {{"type", "tablet"}, {"bus", "usb"}});
  add(devices, "input", {{"type", "keyboard"}, {"bus", "usb"}});
  add_screen(devices, plan);
  add(add(devices, "video"), "model", {{"type", "vga"}});
}

// Libvirt starts a swtpm of its own, with a memory of its own.
void add_tpm(xml_node devices, const LaunchPlan& plan) {
  if (!plan.companions.tpm) return;
  add(add(devices, "tpm", {{"model", "tpm-crb"}}), "backend", {{"type", "emulator"}, {"version", "2.0"}});
}

void add_serial(xml_node devices) {
  add(add(devices, "serial", {{"type", "pty"}}), "target", {{"port", "0"}});
  add(add(devices, "console", {{"type", "pty"}}), "target", {{"type", "serial"}, {"port", "0"}});
}

void add_devices(xml_node domain, const LaunchPlan& plan) {
  const auto devices = add(domain, "devices");
  if (plan.emulator.program != usual_emulator) add_text(devices, "emulator", plan.emulator.program);
  add_disks(devices, plan);
  for (std::size_t extra = 0; extra < plan.disks.extra.size(); ++extra) add_extra_disk(devices, plan, extra);
  add_network(devices, plan);
  add_serial(devices);
  add_tpm(devices, plan);
  add_display(devices, plan);
  add_usb_devices(devices, plan);
  add(devices, "memballoon", {{"model", "none"}});
  add_text(add(devices, "rng", {{"model", "virtio"}}), "backend", "/dev/urandom", {{"model", "random"}});
}

void add_labels(xml_node domain, const LaunchPlan& plan) {
  if (!plan.libvirt_as_root) return;
  const auto label = add(domain, "seclabel", {{"type", "static"}, {"model", "dac"}, {"relabel", "no"}});
  add_text(label, "label", "+0:+0");
}

}  // namespace

std::string domain_xml(const LaunchPlan& plan) {
  if (plan.companions.folder)
    throw Error(ErrorKind::unsupported, "a machine on a folder is not given to libvirt")
        .hint("boot it without libvirt");
  check_that_libvirt_can(plan);
  check_shares(plan);
  pugi::xml_document document;
  const auto domain =
      add(document, "domain", {{"type", plan.emulator.accelerator == Accelerator::kvm ? "kvm" : "qemu"}});
  add_identity(domain, plan);
  add_firmware(domain, plan);
  add_behaviour(domain, plan);
  add_devices(domain, plan);
  add_labels(domain, plan);
  std::ostringstream text;
  document.save(text, "  ", pugi::format_indent | pugi::format_no_declaration);
  return text.str();
}

}  // namespace hrvm::launch
