#include "hrvm/launch/boot_judge.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/byte_size.hpp"

namespace hrvm::launch {

namespace {

using namespace std::chrono_literals;

struct Sign {
  std::string_view words;
  bool up;
  Stage stage;
  std::string_view what;
};

// What firmwares, loaders, initramfs and systems say on a console. The first that fits holds.
constexpr std::array signs{
    Sign{" login:", true, Stage::system, "it asks for a login"},
    Sign{"login: ", true, Stage::system, "it asks for a login"},
    Sign{"No bootable device", false, Stage::firmware, "the BIOS found nothing to boot"},
    Sign{"No bootable option or device was found", false, Stage::firmware, "the UEFI firmware found nothing to boot"},
    Sign{"UEFI Interactive Shell", false, Stage::firmware, "the UEFI firmware found no loader and opened its shell"},
    Sign{"grub rescue>", false, Stage::loader, "GRUB did not find its files: a rescue prompt"},
    Sign{"Entering rescue mode...", false, Stage::loader, "GRUB did not find its files: a rescue prompt"},
    Sign{"Minimal BASH-like line editing", false, Stage::loader, "GRUB found no configuration: its prompt"},
    Sign{"Unable to mount root fs", false, Stage::kernel, "the kernel did not find its root filesystem: a panic"},
    Sign{"Kernel panic - not syncing", false, Stage::kernel, "the kernel panicked"},
    Sign{"(initramfs)", false, Stage::kernel, "an initramfs shell: the root filesystem was not found"},
    Sign{"Dropping to a shell!", false, Stage::kernel, "an initramfs shell: the root filesystem was not found"},
    Sign{"dracut:/#", false, Stage::kernel, "dracut's emergency shell: the root filesystem was not found"},
    Sign{"Entering emergency mode", false, Stage::kernel,
         "dracut's emergency shell: the root filesystem was not found"},
    Sign{"You are in emergency mode", false, Stage::system, "the system's emergency mode: some filesystem is missing"},
    Sign{"Give root password for maintenance", false, Stage::system,
         "the system's emergency mode: some filesystem is missing"},
};

// A guest that neither reads nor prints for so long waits for something that will not come.
constexpr std::chrono::seconds longest_silence = 60s;
// A system that writes may still come to a login, or to its emergency mode.
constexpr std::chrono::seconds wait_for_login = 30s;
constexpr unsigned most_resets = 3;
// A kernel and its initramfs are more than this, a loader with all its files is less.
constexpr std::uint64_t least_kernel_bytes = 6 * base::MiB;

bool is_of_kernel(const std::string& line) { return line.starts_with("[    ") || line.starts_with("Linux version"); }

}  // namespace

std::string_view word(Stage stage) {
  static constexpr std::array words{"firmware", "loader", "kernel", "system"};
  return words[std::size_t(stage)];
}

BootJudge::BootJudge(Time start, std::chrono::seconds patience)
    : start_(start), last_change_(start), patience_(patience) {}

void BootJudge::line(const std::string& line, Time now) {
  last_change_ = now;
  kernel_spoke_ |= is_of_kernel(line);
  const auto said = [&](const Sign& sign) { return line.find(sign.words) != std::string::npos; };
  const auto sign = std::ranges::find_if(signs, said);
  if (sign != signs.end() && !verdict_) verdict_ = Verdict{sign->up, sign->stage, std::string(sign->what)};
}

void BootJudge::activity(const Activity& activity, Time now) {
  if (activity != activity_) last_change_ = now;
  if (activity.resets != activity_.resets) writing_since_.reset();
  activity_ = activity;
  if (has_system() && !writing_since_) writing_since_ = now;
}

const std::optional<Verdict>& BootJudge::verdict(Time now) {
  if (!verdict_) judge(now);
  return verdict_;
}

Stage BootJudge::stage() const {
  if (writing_since_) return Stage::system;
  if (kernel_spoke_) return Stage::kernel;
  if (activity_.read_bytes >= least_kernel_bytes) return Stage::kernel;
  return activity_.read_bytes == 0 ? Stage::firmware : Stage::loader;
}

void BootJudge::judge(Time now) {
  if (activity_.resets >= most_resets) {
    verdict_ = Verdict{false, stage(), "it resets again and again"};
  } else if (writing_since_ && now - *writing_since_ >= wait_for_login) {
    verdict_ = Verdict{true, Stage::system, "it writes to its disk"};
  } else if (now - last_change_ >= longest_silence) {
    verdict_ = Verdict{false, stage(), fmt::format("it did nothing for {} s", longest_silence.count())};
  } else if (now - start_ >= patience_) {
    verdict_ = Verdict{false, stage(), fmt::format("it was not up within {} s", patience_.count())};
  }
}

}  // namespace hrvm::launch
