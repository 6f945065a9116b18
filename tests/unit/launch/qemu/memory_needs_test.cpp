// What a guest that goes on from its memory has to find again.
#include "launch/qemu/memory_needs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "unit/launch/variants.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using hrvm::launch::testing::Sample;
using Texts = std::vector<std::string>;

namespace {

std::vector<machine::Mark> needs(const Sample& sample) { return needs_of(sample.command()); }

Texts differences_of(void (*change)(Sample&)) {
  Sample then, now;
  change(now);
  return differences(needs(then), needs(now));
}

bool tells_of(const Texts& texts, const std::string& start) {
  return std::ranges::any_of(texts, [&](const std::string& text) { return text.starts_with(start); });
}

}  // namespace

TEST_CASE("what is only the host's may be another where a guest goes on") {
  const auto texts = differences_of([](Sample& it) {
    it.host.run_folder = "/run/hrvm/other";
    it.layers = {"/var/lib/hrvm/web/tmp/x/layer.qcow2", "/var/lib/hrvm/web/layers/a1.qcow2"};
    it.host.disks[0].path = "/dev/sdb";
    it.host.disks[0].stable_path = "/dev/disk/by-id/usb-Disk_S3Z9NB0K";
    it.request.detach = true;
    it.request.vnc_port = 5901;
    it.machine.name = "renamed";
    it.host.console_log = "/var/lib/hrvm/web/consoles/9.log";
    it.request.hardware.forwards = std::vector<machine::PortForward>{{2222, 22}};
  });
  CHECK(texts == Texts{});
}

TEST_CASE("what a guest sees of its machine must be the same, and what differs is told by part") {
  CHECK(differences_of([](Sample& it) { it.state.hardware.memory_bytes = 4 * base::GiB; }) ==
        Texts{"memory: 2048M then, 4096M now"});
  CHECK(differences_of([](Sample& it) { it.request.accelerator = Accelerator::tcg; }) ==
        Texts{"accelerator: kvm then, tcg now", "CPU model: host then, max now"});
  CHECK(differences_of([](Sample& it) { it.state.hardware.cpus = 1; }) == Texts{"CPUs: 2 then, 1 now"});
  CHECK(
      tells_of(differences_of([](Sample& it) { it.state.hardware.bus = machine::Bus::scsi; }), "device disk0: virtio"));
  CHECK(tells_of(differences_of([](Sample& it) { it.request.console = Console::serial; }),
                 "device video0: VGA,id=video0 then, none now"));
  CHECK(tells_of(differences_of([](Sample& it) { it.add_image("/images/more.img"); }),
                 "device extra1-device: none then"));
  CHECK(tells_of(differences_of([](Sample& it) { it.state.hardware.machine = machine::MachineType::pc; }),
                 "machine type: q35 then, pc now"));
  CHECK(tells_of(differences_of([](Sample& it) { it.state.hardware.network.kind = machine::NetworkKind::none; }),
                 "network: user then, none now"));
}

TEST_CASE("each variant of a machine fits itself alone") {
  for (const auto& one : testing::variants())
    for (const auto& other : testing::variants()) {
      Sample first, second;
      one.change(first);
      other.change(second);
      INFO(one.name << " and " << other.name);
      CHECK(differences(needs(first), needs(first)).empty());
      if (first.plan().hardware.bus != second.plan().hardware.bus)
        CHECK_FALSE(differences(needs(first), needs(second)).empty());
    }
}

TEST_CASE("another disc in the drive is told") {
  Sample then, now;
  then.add_image("/images/one.img");
  now.add_image("/images/two.img");
  CHECK(differences(needs(then), needs(now)) == Texts{"file of extra1: /images/one.img then, /images/two.img now"});
}

TEST_CASE("devices in another order are other devices") {
  auto then = needs(Sample());
  auto now = then;
  std::swap(now[now.size() - 1], now[now.size() - 2]);
  CHECK(differences(then, now) == Texts{"the order of its devices"});
}

TEST_CASE("a guest that goes on does so in the machine type with its version, and can be kept again") {
  Sample sample;
  auto plan = sample.plan();
  plan.memory = PlannedMemory{"/store/web/memory/c1", "pc-q35-7.2", 7};
  const auto command = qemu_command(plan);
  const auto incoming = std::ranges::find(command, "-incoming");
  REQUIRE(incoming != command.end());
  CHECK(*std::next(incoming) == "fd:7");
  CHECK(std::ranges::any_of(command, [](const auto& word) { return word.starts_with("pc-q35-7.2,accel=kvm"); }));
  CHECK(differences(needs(sample), needs_of(command)).empty());
}

TEST_CASE("what QEMU's command line holds of strange bytes is told as text") {
  const std::vector<machine::Mark> then{{"memory", "512M\x1b[2J"}};
  CHECK(differences(then, {{"memory", "1M"}}).front().find('\x1b') == std::string::npos);
}
