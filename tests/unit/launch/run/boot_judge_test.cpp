#include "hrvm/launch/boot_judge.hpp"

#include <catch2/catch.hpp>

using namespace hrvm;
using namespace std::chrono_literals;
using launch::Activity;
using launch::BootJudge;
using launch::Stage;

namespace {

const BootJudge::Time start{};

launch::Verdict verdict_on(const std::string& line) {
  BootJudge judge(start, 100s);
  judge.line(line, start + 1s);
  REQUIRE(judge.verdict(start + 1s));
  return *judge.verdict(start + 1s);
}

constexpr std::uint64_t kernel_bytes = 20 << 20;

}  // namespace

TEST_CASE("what firmwares, loaders, initramfs and systems say tells how far a boot came") {
  CHECK(verdict_on("demo login: ").up);
  CHECK(verdict_on("No bootable device.").stage == Stage::firmware);
  CHECK(verdict_on("UEFI Interactive Shell v2.2").stage == Stage::firmware);
  CHECK(verdict_on("grub rescue> ").stage == Stage::loader);
  CHECK(verdict_on("[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)").what ==
        "the kernel did not find its root filesystem: a panic");
  CHECK(verdict_on("(initramfs) ").stage == Stage::kernel);
  CHECK(verdict_on("dracut:/# ").stage == Stage::kernel);
  CHECK(verdict_on("You are in emergency mode. After logging in, type").stage == Stage::system);
  CHECK_FALSE(verdict_on("Give root password for maintenance").up);
}

TEST_CASE("what else is printed decides nothing") {
  BootJudge judge(start, 100s);
  for (const auto* line : {"Last login on tty1", "Booting from Hard Disk...", "[    1.0] virtio_blk virtio0: vda"})
    judge.line(line, start + 1s);
  CHECK_FALSE(judge.verdict(start + 30s));
}

TEST_CASE("the first sign holds, whatever comes after it") {
  BootJudge judge(start, 100s);
  judge.line("(initramfs) ", start + 1s);
  judge.line("demo login:", start + 2s);
  CHECK_FALSE(judge.verdict(start + 3s)->up);
}

TEST_CASE("a system without a serial console is up when it has written to its disk for a while") {
  BootJudge judge(start, 300s);
  judge.activity({kernel_bytes, 40, 3, 0}, start + 20s);
  CHECK_FALSE(judge.verdict(start + 49s));
  const auto verdict = judge.verdict(start + 50s);
  REQUIRE(verdict);
  CHECK((verdict->up && verdict->stage == Stage::system));
}

TEST_CASE("the block or two that a loader writes are no system") {
  BootJudge judge(start, 300s);
  judge.activity({kernel_bytes, 2, 1, 0}, start + 1s);
  const auto verdict = judge.verdict(start + 61s);
  REQUIRE(verdict);
  CHECK_FALSE(verdict->up);
}

TEST_CASE("a guest that does nothing is given up, where it stands") {
  const auto stage_after = [](std::uint64_t read_bytes) {
    BootJudge judge(start, 300s);
    judge.activity({read_bytes, 0, 0, 0}, start + 10s);
    CHECK_FALSE(judge.verdict(start + 69s));
    REQUIRE(judge.verdict(start + 70s));
    return judge.verdict(start + 70s)->stage;
  };
  CHECK(stage_after(1 << 20) == Stage::loader);
  CHECK(stage_after(kernel_bytes) == Stage::kernel);
  BootJudge idle(start, 300s);
  REQUIRE(idle.verdict(start + 60s));
  CHECK(idle.verdict(start + 60s)->stage == Stage::firmware);
}

TEST_CASE("a guest that resets again and again has failed, though it writes in between") {
  BootJudge judge(start, 300s);
  judge.activity({kernel_bytes, 40, 3, 0}, start + 5s);
  judge.activity({kernel_bytes, 40, 3, 1}, start + 10s);
  CHECK_FALSE(judge.verdict(start + 36s));
  judge.activity({kernel_bytes, 80, 6, 3}, start + 37s);
  REQUIRE(judge.verdict(start + 37s));
  CHECK(judge.verdict(start + 37s)->what == "it resets again and again");
}

TEST_CASE("what is on its way is given up when its time is over") {
  BootJudge judge(start, 90s);
  for (int second = 1; second < 90; ++second) judge.activity({std::uint64_t(second), 0, 0, 0}, start + second * 1s);
  CHECK_FALSE(judge.verdict(start + 89s));
  REQUIRE(judge.verdict(start + 90s));
  CHECK(judge.verdict(start + 90s)->what == "it was not up within 90 s");
}
