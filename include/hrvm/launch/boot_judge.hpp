// BootJudge: judges from what can be seen of a guest whether its boot is up, has failed (and where) or goes on.
// It sees the lines of the serial console and, once a second, what the guest reads from and writes to its disks. Pure:
// the caller gives it the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hrvm::launch {

// How far it came. A firmware that finds no loader and a loader that finds no kernel want another firmware; a kernel
// that finds no root wants another bus.
enum class Stage { firmware, loader, kernel, system };
std::string_view word(Stage stage);

struct Verdict {
  bool up = false;
  Stage stage = Stage::firmware;
  std::string what;  // "an initramfs shell: the root filesystem was not found"
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Of all disks since QEMU started.
struct Activity {
  std::uint64_t read_bytes = 0, writes = 0, flushes = 0;
  unsigned resets = 0;
  friend bool operator==(const Activity&, const Activity&) = default;
};

class BootJudge {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // It is given up when it is not up within `patience`.
  BootJudge(Time start, std::chrono::seconds patience);

  void line(const std::string& line, Time now);
  void activity(const Activity& activity, Time now);
  // Stays as it is once there is one.
  const std::optional<Verdict>& verdict(Time now);

 private:
  void judge(Time now);
  bool has_system() const { return activity_.writes >= writes_of_a_system && activity_.flushes > 0; }
  Stage stage() const;

  static constexpr std::uint64_t writes_of_a_system = 16;  // loaders write a block or two: grubenv, bootstat.dat
  Time start_, last_change_;
  std::chrono::seconds patience_;
  Activity activity_;
  std::optional<Time> writing_since_;
  bool kernel_spoke_ = false;
  std::optional<Verdict> verdict_;
};

}  // namespace hrvm::launch
