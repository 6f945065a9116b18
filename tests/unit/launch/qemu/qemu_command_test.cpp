#include <catch2/catch.hpp>
#include <cstdio>
#include <map>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/temporary_directory.hpp"
#include "unit/launch/golden.hpp"
#include "unit/launch/variants.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using hrvm::launch::testing::Sample;

namespace {

// An option and its value on one line.
std::string listed(const std::vector<std::string>& command) {
  std::string text;
  for (const auto& word : command)
    text += (word.starts_with('-') && !text.empty() ? "\n" : text.empty() ? "" : " ") + word;
  return text + "\n";
}

// The plan with files that are there, and an accelerator that any host has.
struct OnThisHost {
  OnThisHost(const sys::Host& host, const Sample& sample) : plan(sample.plan()) {
    plan.emulator.program = *host.find_program("qemu-system-x86_64");
    plan.emulator.accelerator = Accelerator::tcg;
    if (plan.emulator.cpu.starts_with("host")) plan.emulator.cpu.replace(0, 4, "max");
    plan.hardware.memory_bytes = 64 * base::MiB;
    plan.control.run_folder = folder.path();
    plan.control.qmp_socket = folder / "qmp.sock";
    plan.control.guard_socket = folder / "guard.sock";
    plan.control.agent_socket = folder / "agent.sock";
    plan.control.pid_file = folder / "pid";
    if (!plan.consoles.vnc_socket.empty()) plan.consoles.vnc_socket = folder / "vnc.sock";
    if (!plan.consoles.serial_socket.empty()) plan.consoles.serial_socket = folder / "console.sock";
    if (plan.companions.tpm) {
      plan.companions.tpm = {*host.find_program("swtpm"), folder / "tpm", folder / "tpm.sock", folder / "tpm.pid"};
      tpm_lifeline = start_tpm(host, *plan.companions.tpm, {});
    }
    place_files(host);
  }

  void place_files(const sys::Host& host) {
    folder.write("base, with a comma.img", "");
    std::filesystem::resize_file(folder / "base, with a comma.img", 64 * base::MiB);
    const DiskNode base{folder / "base, with a comma.img", probe::DiskFormat::raw, false};
    for (auto& disk : plan.disks.own) {
      if (disk.base_nodes > 0) disk.chain.back() = base;
      for (std::size_t index = 0; index + (disk.base_nodes > 0) < disk.chain.size(); ++index) {
        auto& path = disk.chain[index].path;
        path = folder / machine::Path(path).filename().string();
        host.runner.run({{"qemu-img", "create", "-q", "-f", "qcow2", path, "64M"}}, 10s);
      }
    }
    for (auto& extra : plan.disks.extra) extra.chain = {base};
    if (!plan.firmware.uefi) return;
    plan.firmware.nvram = folder / "vars.fd";
    std::filesystem::copy_file(plan.firmware.uefi->template_path, plan.firmware.nvram);
  }

  test::TemporaryDirectory folder;
  LaunchPlan plan;
  sys::Fd tpm_lifeline;
};

std::optional<Qmp> connect_when_there(sys::Child& qemu, const LaunchPlan& plan) {
  for (int turn = 0; turn < 1000 && !qemu.poll(); ++turn) {
    if (auto qmp = Qmp::connect(plan.control.qmp_socket, 10s)) return qmp;
    qemu.wait(10ms);
  }
  return std::nullopt;
}

// What QEMU wrote, but for what it tells on purpose.
std::string complaints(const OnThisHost& it) {
  const auto written = sys::read_file(it.folder / "errors");
  std::string text;
  for (const auto line : base::lines(written)) {
    if (line.find(": info: ") == std::string_view::npos) text += line;
  }
  return text;
}

// QEMU's status when it has taken every word of the command, or what it complained about.
std::string start_and_quit(const sys::Host& host, const OnThisHost& it) {
  auto command = qemu_command(it.plan);
  command.push_back("-S");
  const sys::Fd errors = sys::open_file(it.folder / "errors", 0101, 0600);  // O_WRONLY | O_CREAT
  auto qemu = host.runner.spawn({command}, {-1, -1, errors.get()}, true);
  std::optional<sys::UnixSocket> reader;
  while (it.plan.consoles.serial == SerialTarget::watched && !reader && !qemu.wait(10ms)) {
    reader = sys::UnixSocket::connect(it.plan.consoles.serial_socket, 1s);
  }
  auto qmp = connect_when_there(qemu, it.plan);
  if (!qmp) return "ended: " + complaints(it);
  const auto status = qmp->execute("query-status", base::Json::object(), 10s)["status"].text().value_or("?");
  qmp->execute("quit", base::Json::object(), 10s);
  if (!qemu.wait(10s)) qemu.signal(9);
  return status + complaints(it);
}

// What a variant is there to show, in words of its command: a golden file alone would hold whatever was written to it.
const std::map<std::string, std::vector<std::string>> shown{
    {"bios-virtio", {"accel=kvm", "virtio-blk-pci,id=disk0,drive=disk,serial=S3Z9NB0K", "user,id=net0,restrict=on"}},
    {"uefi-chain",
     {"pflash0=pflash0", R"("backing":"layer1")", R"("backing":"base")", "console.sock,server=on,wait=off"}},
    {"two-disks", {R"("filename":"/images/second.qcow2","read-only":true)", R"("backing":null)", "drive=disk3"}},
    {"two-disks-sata", {"bus=ide.0,id=disk0", "bus=ide.1,id=disk2-device", "bus=ide.5,id=disk5-device"}},
    {"pc-sata-serial", {"-machine pc,", "ich9-ahci", "bus=sata0.0", "rtl8139", "graphics=off", "/images/a, b.img"}},
    {"uefi-image-chain",
     {"/images/web.qcow2", R"("backing":"base-1")", R"("backing":"base-2")", R"("filename":"/dev/sdb")"}},
    {"q35-sata-vnc",
     {"-machine q35,", "ide-hd,bus=ide.0", "-device e1000,", "hostfwd=tcp:127.0.0.1:2222-:22", "8080-:80"}},
    {"nvme-4kn-no-serial", {"-device nvme,", "serial=hrvm-0f0e0d0c", "logical_block_size=4096"}},
    {"scsi-watched",
     {"virtio-scsi-pci", "scsi-hd", "accel=tcg", "-cpu Nehalem,+aes,-x2apic", "wait=on", "serial=a,, b,"}},
    {"windows-kvm", {"-cpu host,-vmx,hv-relaxed=on", "base=localtime", "ide-hd"}},
    {"uefi-tpm", {"tpm-crb,", "-tpmdev emulator,", "tpm.sock"}},
    {"uefi-disc-first", {"ide-cd,bus=ide.2,id=extra1-device,drive=extra1,bootindex=0", "bootindex=1", "extra2-1-file"}},
    {"pc-sata-extras",
     {"-machine pc,", "usb-storage,bus=usb0.0,id=extra1-device", "ide-cd,bus=ide.1,id=extra2-device"}},
    {"scsi-extras", {"scsi-hd,bus=scsi0.0,id=extra1-device,drive=extra1,serial=S3Z9,,NB0L"}},
    {"nvme-extras", {"nvme,id=disk0", "nvme,id=extra1-device,drive=extra1,serial=hrvm-extra1"}},
    {"ide-extras-usb",
     {"ide-hd,bus=ide.0,id=disk0", "usb-storage,", "usb-host,bus=usb0.0,vendorid=0x1050,productid=0x0407"}},
    {"secure-boot-vnc", {"OVMF_CODE_4M.ms.fd", "smm=on", "property=secure,value=on", "-vnc 127.0.0.1:17", "0xc52b"}},
    {"proxmox-lvm-server", {"accel=kvm", "pflash0=", "virtio-blk-pci,", "virtio-net-pci,"}},
    {"proxmox-zfs-server", {"accel=kvm", "pflash0=", "virtio-blk-pci,"}},
    {"windows-10-laptop", {"hv-relaxed=on", "base=localtime", "ide-hd,", "e1000e,", "physical_block_size=512,"}},
    {"windows-11-laptop", {"hv-relaxed=on", "pflash0=", "tpm-crb,"}},
    {"windows-server-virtio-rescue", {"accel=tcg", "-cpu max\n", "base=localtime", "virtio-blk-pci,"}},
    {"fedora-btrfs-laptop", {"accel=kvm", "pflash0=", "virtio-blk-pci,", "virtio-net-pci,"}},
    {"rhel-hostonly-nvme-server", {"-device nvme,", "virtio-net-pci,"}},
    {"debian-4kn-rescue", {"accel=tcg", "pflash0=", "virtio-blk-pci,", "logical_block_size=4096"}},
    {"ubuntu-hostonly-sata-laptop", {"ide-hd,", "e1000e,"}},
    {"freebsd-rescue", {"accel=tcg", "ide-hd,", "e1000e,"}},
    {"bridge-gui", {"bridge,id=net0,br=br0,helper=/usr/libexec/qemu-bridge-helper", "-display gtk", "spawn=allow"}},
};

}  // namespace

TEST_CASE("each kind of machine has its command, which shows what the kind is there for") {
  for (const auto& variant : launch::testing::variants()) {
    INFO(variant.name);
    Sample sample;
    variant.change(sample);
    const auto command = listed(sample.command());
    launch::testing::check_golden(variant.name + ".args", command);
    REQUIRE(shown.contains(variant.name));
    for (const auto& words : shown.at(variant.name)) CHECK_THAT(command, Contains(words));
  }
  CHECK(shown.size() == launch::testing::variants().size());
}

TEST_CASE_METHOD(Sample, "nothing but the active layer and the variables is opened for writing") {
  request.hardware.firmware = machine::Firmware::uefi;
  layers = {"/s/a2.qcow2", "/s/a1.qcow2"};
  add_image("/images/other.img");
  std::vector<std::string> writable;
  for (const auto& word : command()) {
    if (!word.starts_with('{')) continue;
    const auto node = base::parse_json(word, "a node");
    CHECK(node["read-only"].boolean() == node.at_path("file.read-only").boolean());
    CHECK_FALSE(node.at_path("file.auto-read-only").boolean().value_or(true));
    if (node["read-only"] == base::Json(false)) writable.push_back(node.at_path("file.filename").text().value_or(""));
  }
  CHECK(writable == std::vector<std::string>{nvram, "/s/a2.qcow2"});
}

TEST_CASE_METHOD(Sample, "an isolated machine reaches nothing, and is reached from loopback alone") {
  request.hardware.forwards.emplace().push_back({2222, 22});
  CHECK_THAT(listed(command()), Contains("-netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22\n"));
}

TEST_CASE_METHOD(Sample, "what the serial line carries is kept where it is to be, whatever that is called") {
  host.console_log = "/a, b/7.log";
  const std::string kept = ",logappend=on,logfile=/a,, b/7.log\n";
  CHECK_THAT(listed(command()), Contains("-chardev stdio,id=serial0,mux=on,signal=off" + kept));
  request.detach = true;
  CHECK_THAT(listed(command()), Contains("/console.sock,server=on,wait=off" + kept));
  request.supervised = true;
  CHECK_THAT(listed(command()), Contains("/console.sock,server=on,wait=on" + kept));
}

TEST_CASE("QEMU takes every word of these commands") {
  const auto runner = sys::make_process_runner();
  const auto host = sys::real_host(*runner);
  REQUIRE(host.find_program("qemu-system-x86_64"));
  REQUIRE(host.find_program("qemu-img"));
  for (const auto& variant : launch::testing::variants()) {
    Sample sample;
    variant.change(sample);
    const auto plan = sample.plan();
    if (!variant.runs_anywhere || (plan.firmware.uefi && !sys::is_readable(plan.firmware.uefi->code_path))) continue;
    if (plan.companions.tpm && !host.find_program("swtpm")) continue;
    INFO(variant.name);
    const OnThisHost it(host, sample);
    CHECK(start_and_quit(host, it) == "prelaunch");
  }
}
