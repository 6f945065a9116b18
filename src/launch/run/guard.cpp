#include "hrvm/launch/guard.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/file_size_limit.hpp"
#include "hrvm/sys/files.hpp"
#include "launch/live/bounds.hpp"
#include "launch/live/guest_freeze.hpp"
#include "launch/live/memory_save.hpp"
#include "launch/qemu/block_graph.hpp"
#include "launch/qemu/live_disks.hpp"
#include "launch/run/reminder.hpp"

namespace hrvm::launch {

namespace {

using base::Json;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// QEMU takes its orders one after the other, and a snapshot can keep it for long on a busy host.
constexpr std::chrono::seconds start_limit{60}, answer_limit{30}, look_interval{1};
constexpr std::chrono::seconds growth_window{60}, report_interval{10};
// A bound is moved when what is left has changed by so much of itself.
constexpr std::uint64_t bound_step = 16;
// A write that goes beyond the bound is at most this long.
constexpr std::uint64_t near_bound = 4 * base::MiB;

machine::Path report_file(const machine::Path& run_folder) { return run_folder / "guard.json"; }

// What the layers took, over the last minute.
class Growth {
 public:
  void add(Clock::time_point at, std::uint64_t bytes) {
    seen_.push_back({at, bytes});
    while (seen_.size() > 2 && at - seen_.front().at > growth_window) seen_.pop_front();
  }
  std::uint64_t bytes_per_second() const {
    if (seen_.size() < 2 || seen_.back().bytes <= seen_.front().bytes) return 0;
    const auto seconds = std::chrono::duration<double>(seen_.back().at - seen_.front().at).count();
    return seconds < 0.5 ? 0 : std::uint64_t(double(seen_.back().bytes - seen_.front().bytes) / seconds);
  }

 private:
  struct Sample {
    Clock::time_point at;
    std::uint64_t bytes;
  };
  std::deque<Sample> seen_;
};

// What the guest prints, kept in a file: its room is bounded, and what it wipes off the terminal is said again. Nothing
// that goes wrong with the file keeps the guard from the store.
class ConsoleCare {
 public:
  ConsoleCare(const PlannedConsoles& consoles, int terminal_fd) : terminal_fd_(terminal_fd) {
    if (consoles.log.empty()) return;
    try {
      bound_.emplace(consoles.log);
      if (terminal_fd >= 0 && !consoles.reminder.empty()) reminder_.emplace(consoles.log, consoles.reminder);
    } catch (const base::Error&) {
    }
  }

  void look() {
    try {
      if (bound_) bound_->look();
      if (!reminder_) return;
      if (const auto text = reminder_->look(Clock::now())) sys::write_now(terminal_fd_, *text);
    } catch (const base::Error&) {
      bound_.reset();
      reminder_.reset();
    }
  }

 private:
  int terminal_fd_;
  std::optional<ConsoleBound> bound_;
  std::optional<Reminder> reminder_;
};

class Guard {
 public:
  Guard(const sys::Host& host, const LaunchPlan& plan, int terminal_fd)
      : host_(host),
        plan_(plan),
        store_(machine::Path(plan.disks.own.front().layer().path).parent_path()),
        room_(host, store_),
        terminal_fd_(terminal_fd),
        console_(plan.consoles, terminal_fd) {
    stops_at_errors_ = plan.hardware.bus != machine::Bus::nvme;
    if (!plan.firmware.nvram.empty()) nvram_bytes_ = sys::status(plan.firmware.nvram).size_bytes;
    for (std::size_t number = 0; number < plan.disks.own.size(); ++number)
      disks_.push_back({plan.companions.folder ? "" : node_name(plan, number, 0), plan.disks.own[number].layer().path,
                        plan.disks.layer_direct});
  }

  void run() {
    auto qmp = connect();
    while (qmp && !qmp->closed()) {
      console_.look();
      end_left_over_save(*qmp, plan_.control.run_folder);
      if (!plan_.control.agent_socket.empty()) thaw_left_over(host_, *qmp, plan_.control.run_folder);
      follow(*qmp);
      look(*qmp);
      if (const auto event = qmp->next_event(look_interval)) heed((*event)["event"].text().value_or(""));
    }
  }

 private:
  std::optional<Qmp> connect() const {
    const auto deadline = Clock::now() + start_limit;
    while (machine::written_layer(store_) && Clock::now() < deadline) {
      if (auto qmp = Qmp::connect(plan_.control.guard_socket, 1s)) return qmp;
      std::this_thread::sleep_for(20ms);
    }
    return std::nullopt;
  }

  void heed(std::string_view event) {
    // QEMU forgets a threshold once it has reported it, and whoever resumes a machine lifts the limit.
    if (event == "BLOCK_WRITE_THRESHOLD" || event == "RESUME") bounds_.clear();
    if (event == "BLOCK_IO_ERROR") hit_ = true;
    if (event == "RESUME") {
      forced_ = paused_;
      stands_still_ = false;
    }
  }

  // A snapshot has QEMU go on in other layers than it was started with, whose bounds nobody has set. For the end of a
  // save of the guest's memory QEMU writes to none at all.
  void follow(Qmp& qmp) {
    const auto is_left = [](const LiveDisk& disk) { return block::image_use(disk.file) != block::ImageUse::write; };
    if (plan_.companions.folder || std::ranges::none_of(disks_, is_left) || !machine::written_layer(store_)) return;
    taken_before_ += taken_by(layers());
    disks_ = live_disks(qmp, disks_.size());
    bounds_.clear();
  }

  void look(Qmp& qmp) {
    // The layers first: what the guest writes between the two looks is then missing in the room, and not in the bound.
    const auto layers = this->layers();
    const auto now = room_.space();
    const auto room = room_in(now);
    growth_.add(Clock::now(), plan_.companions.folder ? now.used_bytes : taken_before_ + taken_by(layers));
    const bool has_room = now.available_bytes >= machine::room_to_go_on(now);
    const bool at_bound = hit_ && is_near_bound(layers);
    if (has_room) paused_ = forced_ = false;
    if (!forced_) bound(qmp, layers, room);
    if (hit_ && !has_room) stands_still_ = true;
    if (!paused_ && (room == 0 || (hit_ && !has_room))) pause(qmp, now);
    // Room was made after the bound was set, so nobody needs to hear of it.
    if (at_bound && has_room) qmp.execute("cont", Json::object(), answer_limit);
    hit_ = false;
    if (machine::is_nearly_full(now) && !warned_) warn(now);
    warned_ = machine::is_nearly_full(now);
    write_down({stands_still_, room, growth_.bytes_per_second()});
  }

  std::vector<sys::FileStatus> layers() const {
    std::vector<sys::FileStatus> layers;
    for (const auto& disk : disks_) layers.push_back(sys::status(disk.file));
    return layers;
  }

  static std::uint64_t taken_by(const std::vector<sys::FileStatus>& layers) {
    std::uint64_t bytes = 0;
    for (const auto& layer : layers) bytes += layer.allocated_bytes;
    return bytes;
  }

  // A process has one limit for all its files: it is the layer's that may grow to the most.
  bool is_near_bound(const std::vector<sys::FileStatus>& layers) const {
    return bounds_.empty() || std::ranges::any_of(layers, [&](const sys::FileStatus& layer) {
             return layer.size_bytes + near_bound >= std::ranges::max(bounds_);
           });
  }

  // The variables of the firmware are a file that QEMU writes as well.
  void bound(Qmp& qmp, const std::vector<sys::FileStatus>& layers, std::uint64_t room) {
    if (plan_.companions.folder) return;  // it is not QEMU that writes
    const auto wanted = bounds_of(layers, room, nvram_bytes_);
    if (!bounds_.empty() && most_moved(wanted) <= room / layers.size() / bound_step) return;
    bounds_ = wanted;
    const auto qemu = qmp.process();
    if (qemu && stops_at_errors_) sys::limit_file_size(*qemu, std::ranges::max(wanted));
    for (std::size_t disk = 0; disk < wanted.size(); ++disk)
      announce_writes_beyond(qmp, disks_[disk].node, wanted[disk]);
  }

  std::uint64_t most_moved(const std::vector<std::uint64_t>& wanted) const {
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      most = std::max(most, wanted[i] > bounds_[i] ? wanted[i] - bounds_[i] : bounds_[i] - wanted[i]);
    return most;
  }

  // Once: whoever resumes the machine without room has been warned, and QEMU itself stops where a write finds none.
  void pause(Qmp& qmp, const sys::Space& now) {
    paused_ = stands_still_ = true;
    qmp.execute("stop", Json::object(), answer_limit);
    tell(fmt::format("{0} is paused: the store has {1} left. Make room, then: hrvm resume {0}", plan_.name,
                     base::format_bytes(now.available_bytes)));
  }

  void warn(const sys::Space& now) {
    tell(fmt::format("the store is more than 85 % full: {} left; {} is paused before it is full",
                     base::format_bytes(now.available_bytes), plan_.name));
  }

  void tell(const std::string& message) const {
    if (terminal_fd_ >= 0) sys::write_now(terminal_fd_, "\r\nhrvm: warning: " + message + "\r\n");
  }

  void write_down(const GuardReport& report) {
    const bool urgent = report.paused != written_.paused || written_at_ == Clock::time_point{};
    if (!urgent && (report == written_ || Clock::now() - written_at_ < report_interval)) return;
    Json json;
    json.set("paused", report.paused).set("room_bytes", report.room_bytes);
    json.set("bytes_per_second", report.bytes_per_second);
    sys::AtomicFile file(report_file(plan_.control.run_folder));
    file.write(base::to_text(json, -1));
    file.commit();
    written_ = report;
    written_at_ = Clock::now();
  }

  const sys::Host& host_;
  const LaunchPlan& plan_;
  machine::Path store_;  // the folder of the layers
  LayerRoom room_;
  int terminal_fd_;
  ConsoleCare console_;
  std::vector<LiveDisk> disks_;     // what QEMU writes to, of each disk
  std::uint64_t taken_before_ = 0;  // by layers that it wrote to before a snapshot
  bool paused_ = false, warned_ = false;
  bool stands_still_ = false;  // for want of room, and nobody has let it go on since
  bool hit_ = false;           // a write has failed since the last look
  bool forced_ = false;        // somebody lets it go on though there is no room
  bool stops_at_errors_;       // QEMU does, when a write fails
  std::uint64_t nvram_bytes_ = 0;
  std::vector<std::uint64_t> bounds_;  // of each layer: offsets in its file; empty where they must be set
  Growth growth_;
  GuardReport written_;
  Clock::time_point written_at_{};
};

}  // namespace

std::optional<std::uint64_t> GuardReport::seconds_to_full() const {
  if (bytes_per_second == 0) return std::nullopt;
  return room_bytes / bytes_per_second;
}

std::optional<GuardReport> guard_report(const machine::Path& run_folder) {
  const auto file = report_file(run_folder);
  const auto text = sys::try_read_file(file);
  if (!text) return std::nullopt;
  try {
    const auto json = base::parse_json(*text, file.string());
    return GuardReport{json["paused"].boolean().value_or(false), json["room_bytes"].unsigned_integer().value_or(0),
                       json["bytes_per_second"].unsigned_integer().value_or(0)};
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

sys::Fd guards_terminal(const sys::Host& host) {
  return host.streams.err_is_terminal ? sys::duplicate_stderr() : sys::Fd();
}

void guard_run(const sys::Host& host, const LaunchPlan& plan, int terminal_fd) { Guard(host, plan, terminal_fd).run(); }

void start_guard(const sys::Host& host, const LaunchPlan& plan) {
  const auto terminal = guards_terminal(host);
  std::vector<int> kept;
  if (terminal) kept.push_back(terminal.get());
  sys::run_in_background([&] { guard_run(host, plan, terminal.get()); }, kept);
}

}  // namespace hrvm::launch
