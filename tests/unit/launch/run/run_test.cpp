#include "hrvm/launch/run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/launch/guard.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"
#include "hrvm/sys/socket.hpp"
#include "support/failing.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"
#include "unit/launch/sample_plan.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using hrvm::launch::testing::Sample;

namespace {

// A boot sector that prints `text` on the serial line, then sends back what it is sent, and powers off at a 'q'.
std::string boot_sector(const std::string& text) {
  static constexpr std::array<unsigned char, 43> code{
      0x31, 0xc0, 0x8e, 0xd8, 0xbe, 0x2b, 0x7c, 0xba, 0xf8, 0x03,              // ds = 0, si = text, dx = COM1
      0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8,                          // out bytes up to NUL
      0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0xf8, 0x03, 0xec,  // in one byte
      0x3c, 0x71, 0x75, 0x07, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef,        // 'q': PM1a_CNT = SLP_EN
      0xee, 0xeb};                                                             // out, and again
  std::string sector(code.begin(), code.end());
  sector[5] = char(code.size() + 1);
  sector += char(0x12 - int(code.size() + 1));
  sector += text;
  sector.resize(510);
  return sector + "\x55\xaa";
}

struct Guest : Sample {
  explicit Guest(const std::string& text = "hello there\r\nlogin: ") {
    folder.write("base.img", boot_sector(text));
    std::filesystem::resize_file(folder / "base.img", base::MiB);
    machine.folder = folder / "web";
    layers = {folder / "web/layers/a1.qcow2"};
    folder.write("web/layers/a1.qcow2", "");
    const auto fd = sys::open_file(layers[0], O_RDWR);
    image::create_qcow2(fd.get(), layers[0], {base::MiB, {}, image::BackingReference{folder / "base.img", "raw"}});

    host.qemu = real.find_program("qemu-system-x86_64").value_or("");
    host.kvm = {false, "TCG runs anywhere"};
    host.disks[0].kind = probe::DiskKind::image;
    host.disks[0].path = host.disks[0].stable_path = folder / "base.img";
    host.layer_direct = false;
    host.run_folder = folder / "run";
    machine.definition.disks[0].sectors = {};
    request.hardware.memory_bytes = 32 * base::MiB;
    request.hardware.network = machine::Network{machine::NetworkKind::none, ""};
  }
  ~Guest() {
    if (const auto pid = run_pid(folder / "run"); pid && runs()) kill(*pid, SIGKILL);
  }

  LaunchPlan watched_plan() {
    request.supervised = true;
    return plan();
  }
  LaunchPlan detached_plan() {
    request.detach = true;
    return plan();
  }
  std::optional<sys::Lock> try_lock(std::chrono::milliseconds patience = 0ms) {
    return sys::Lock::try_take(machine.folder, sys::Lock::Mode::exclusive, patience);
  }
  sys::Lock lock() { return std::move(*try_lock()); }
  bool runs() const { return block::image_use(layers[0]) == block::ImageUse::write; }
  bool installed() const { return !host.qemu.empty(); }

  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  sys::Host real = sys::real_host(*runner);
  test::TemporaryDirectory folder;
};

struct GuestWithTpm : Guest {
  GuestWithTpm() {
    state.hardware.tpm = true;
    host.swtpm = real.find_program("swtpm").value_or("");
    host.tpm_folder = machine.folder / "tpm";
  }
  bool installed() const { return Guest::installed() && !host.swtpm.empty(); }
  bool tpm_runs_on(std::chrono::milliseconds patience) const {
    return !sys::Lock::try_take(host.tpm_folder, sys::Lock::Mode::exclusive, patience);
  }
};

WatchRequest waiting_for(const std::string& expression) {
  WatchRequest watch;
  watch.wait_for = expression;
  watch.timeout = 30s;
  return watch;
}

}  // namespace

TEST_CASE_METHOD(Guest, "a watched guest is ended when its text has come, and nothing is left of it") {
  REQUIRE(installed());
  std::vector<std::string> shown;
  auto watch = waiting_for("^hello (there|again)$");
  watch.on_line = [&](const std::string& line) { shown.push_back(line); };
  const auto result = run_watched(real, watched_plan(), lock(), {}, watch);
  CHECK(result.end == WatchEnd::matched);
  CHECK(result.matched_line == "hello there");
  CHECK(shown.back() == "hello there");
  CHECK(result.qemu_errors == "");
  CHECK_FALSE(runs());
  CHECK(try_lock());
}

TEST_CASE_METHOD(Guest, "a prompt matches though its line has not ended") {
  REQUIRE(installed());
  const auto result = run_watched(real, watched_plan(), lock(), {}, waiting_for("login: $"));
  CHECK(result.end == WatchEnd::matched);
  CHECK(result.matched_line == "login: ");
}

TEST_CASE_METHOD(Guest, "when the time passes the guest is ended, and the console's tail is told") {
  REQUIRE(installed());
  auto watch = waiting_for("never");
  watch.timeout = 2s;
  const auto result = run_watched(real, watched_plan(), lock(), {}, watch);
  CHECK(result.end == WatchEnd::timed_out);
  REQUIRE(result.console_tail.size() >= 2);
  CHECK(result.console_tail.back() == "login: ");
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(Guest, "what is typed reaches the guest, and a guest that powers off ends the watch") {
  REQUIRE(installed());
  std::array<int, 2> ends;
  REQUIRE(pipe(ends.data()) == 0);
  const sys::Fd reader(ends[0]);
  sys::Fd writer(ends[1]);
  auto watch = waiting_for("never");
  watch.input_fd = reader.get();
  watch.on_line = [&](const std::string& line) {
    if (line != "hello there") return;
    REQUIRE(write(writer.get(), "echoed\nq", 8) == 8);
    writer.reset();
  };
  const auto result = run_watched(real, watched_plan(), lock(), {}, watch);
  CHECK(result.end == WatchEnd::ended);
  CHECK(result.exit_status == 0);
  CHECK(result.console_tail.back() == "login: echoed");
}

namespace {

// A guest that sends back what is typed, and a line to it that was joined while it runs.
struct JoinedGuest : Guest {
  JoinedGuest() {
    REQUIRE(installed());
    run_detached(real, detached_plan(), lock(), {});
    REQUIRE(pipe(ends.data()) == 0);
    reader = sys::Fd(ends[0]);
    writer = sys::Fd(ends[1]);
    watching.input_fd = reader.get();
    watching.timeout = 30s;
    line = sys::UnixSocket::connect(console_socket(folder / "run"), 2s);
    REQUIRE(line);
  }
  void type(std::string_view text) { REQUIRE(write(writer.get(), text.data(), text.size()) == ssize_t(text.size())); }
  void type_all(std::string_view text) {
    type(text);
    writer.reset();
  }
  WatchResult watch() {
    return watch_console(*line, watching, [&](std::string_view bytes) { printed += bytes; });
  }

  std::array<int, 2> ends;
  sys::Fd reader, writer;
  WatchRequest watching;
  std::optional<sys::UnixSocket> line;
  std::string printed;
};

}  // namespace

TEST_CASE_METHOD(JoinedGuest, "a line that was joined is left at once where nothing is to be typed") {
  writer.reset();
  CHECK(watch().end == WatchEnd::input_over);
  CHECK(runs());
}

TEST_CASE_METHOD(JoinedGuest, "a line that was joined is left once the guest has taken all, and is free then") {
  const auto text = std::string(300, 'x') + "the end";
  type_all(text);
  CHECK(watch().end == WatchEnd::input_over);
  CHECK_THAT(printed, Contains("xxx"));
  line.reset();
  CHECK_NOTHROW(console_socket(folder / "run"));
  writer = sys::Fd();
  line = sys::UnixSocket::connect(console_socket(folder / "run"), 2s);
  watching.wait_for = "^more$";
  REQUIRE(pipe(ends.data()) == 0);
  reader = sys::Fd(ends[0]);
  writer = sys::Fd(ends[1]);
  watching.input_fd = reader.get();
  printed.clear();
  type_all("\r\nmore");
  const auto result = watch();
  CHECK(result.end == WatchEnd::matched);
  CHECK(result.matched_line == "more");
}

TEST_CASE_METHOD(JoinedGuest, "what is waited for on a line that was joined may not come in time") {
  watching.wait_for = "never";
  watching.timeout = 1s;
  type_all("typed");
  const auto result = watch();
  CHECK(result.end == WatchEnd::timed_out);
  REQUIRE_FALSE(result.console_tail.empty());
  CHECK_THAT(result.console_tail.back(), EndsWith("typed"));
  CHECK(runs());
}

TEST_CASE_METHOD(JoinedGuest, "a machine that ends while its line is joined ends that, too") {
  watching.wait_for = "never";
  type_all("q");
  CHECK(watch().end == WatchEnd::ended);
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(JoinedGuest, "a guest that takes nothing is not waited for without end") {
  pause_run(folder / "run");
  type_all(std::string(300, 'x'));
  CHECK(test::kind_of([&] { watch(); }) == base::ErrorKind::busy);
}

namespace {

// What it prints is kept, in a file that it has locked.
struct RecordedGuest : Guest {
  RecordedGuest() {
    host.console_log = next_console_log(machine);
    lock_of_log.emplace(make_console_log(host.console_log));
    keep.fds.push_back(lock_of_log->fd());
  }
  std::string kept() const {
    ConsoleReader reader(host.console_log, false);
    return reader.read().value_or("");
  }
  bool keeps(std::string_view text) const {
    for (int turn = 0; turn < 200 && kept().find(text) == std::string::npos; ++turn) std::this_thread::sleep_for(50ms);
    return kept().find(text) != std::string::npos;
  }

  std::optional<sys::Lock> lock_of_log;
  Keep keep;
};

}  // namespace

TEST_CASE_METHOD(RecordedGuest, "what a guest prints is kept where nobody is connected to its line") {
  REQUIRE(installed());
  const auto pid = run_detached(real, detached_plan(), lock(), keep);
  lock_of_log.reset();
  CHECK(keeps("hello there\r\nlogin: "));
  const ConsoleReader reader(host.console_log, true);
  CHECK(reader.run_lasts());
  CHECK(sys::status(host.console_log).mode == 0600);
  INFO("nor does a sudden end lose it");
  kill(pid, SIGKILL);
  for (int turn = 0; turn < 100 && reader.run_lasts(); ++turn) std::this_thread::sleep_for(50ms);
  CHECK_FALSE(reader.run_lasts());
  CHECK(kept() == "hello there\r\nlogin: ");
}

TEST_CASE_METHOD(RecordedGuest, "what a watched guest prints is kept as well") {
  REQUIRE(installed());
  CHECK(run_watched(real, watched_plan(), lock(), keep, waiting_for("login: $")).end == WatchEnd::matched);
  CHECK(kept() == "hello there\r\nlogin: ");
}

TEST_CASE_METHOD(RecordedGuest, "the guard gives back what is too much of it") {
  REQUIRE(installed());
  run_detached(real, detached_plan(), lock(), keep);
  REQUIRE(keeps("login"));
  std::ofstream(host.console_log, std::ios::app) << std::string(3 * base::MiB, '.') << "\nafter";
  const auto taken = [&] { return sys::status(host.console_log).allocated_bytes; };
  for (int turn = 0; turn < 100 && taken() > ConsoleBound::most_bytes; ++turn) std::this_thread::sleep_for(50ms);
  CHECK(taken() <= ConsoleBound::most_bytes);
  CHECK(sys::status(host.console_log).size_bytes > 3 * base::MiB);
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(Guest, "a guest that is to keep running does, and is stopped afterwards") {
  REQUIRE(installed());
  auto watch = waiting_for("hello");
  watch.keep_running = true;
  const auto result = run_watched(real, watched_plan(), lock(), {}, watch);
  REQUIRE(result.end == WatchEnd::matched);
  CHECK(runs());
  CHECK(try_lock());
  CHECK(run_pid(folder / "run") == result.pid);
  CHECK(run_detail(folder / "run") == "running");
  CHECK(stop_run(layers[0], folder / "run", 0s, true) == StopWay::quit);
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(Guest, "a detached guest runs when its start returns; one that ignores ACPI is quit") {
  REQUIRE(installed());
  const auto pid = run_detached(real, detached_plan(), lock(), {});
  CHECK(runs());
  CHECK(try_lock(1s));  // the guard is a copy of us, and closes what it does not need
  CHECK(run_pid(folder / "run") == pid);
  CHECK(sys::status(folder / "run").mode == 0700);
  CHECK(stop_run(layers[0], folder / "run", 1s, false) == StopWay::quit);
  CHECK_FALSE(runs());
}

TEST_CASE_METHOD(Guest, "a second QEMU on the same layer does not start, and says why") {
  REQUIRE(installed());
  run_detached(real, detached_plan(), lock(), {});
  host.run_folder = folder / "second";
  try {
    run_detached(real, detached_plan(), lock(), {});
    FAIL("it started");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::external);
    CHECK_THAT(error.message(), Contains("lock"));
    CHECK_THAT(error.hint(), Contains("in use"));
  }
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(Guest, "QEMU that dies early is an error with its own words, watched or not") {
  REQUIRE(installed());
  request.hardware.cpu = "no-such-cpu";
  CHECK_THROWS_WITH(run_detached(real, detached_plan(), lock(), {}), Contains("no-such-cpu"));
  CHECK_THROWS_WITH(run_watched(real, watched_plan(), lock(), {}, waiting_for("x")), Contains("no-such-cpu"));
  CHECK(try_lock());
}

TEST_CASE_METHOD(Guest, "a guest that nobody answers for cannot be stopped") {
  try {
    stop_run(layers[0], folder / "run", 1s, false);
    FAIL("it was stopped");
  } catch (const base::Error& error) {
    CHECK(error.kind() == base::ErrorKind::busy);
  }
  CHECK_FALSE(run_detail(folder / "run"));
  CHECK_FALSE(run_pid(folder / "run"));
}

TEST_CASE_METHOD(Guest, "in the foreground the machine stays locked until QEMU has its layer") {
  test::TestHost fake;
  host.qemu = "/usr/bin/qemu-system-x86_64";
  CHECK_THROWS_AS(run_in_foreground(fake.host(), plan(), lock(), {}), test::Executed);
  CHECK(fake.runner.calls.back().command.argv == qemu_command(plan()));
  CHECK_FALSE(try_lock(100ms));
  const auto layer = sys::open_file(layers[0], O_RDWR);
  block::lock_image_exclusively(layer.get(), layers[0]);
  CHECK(try_lock(2s));
}

TEST_CASE_METHOD(Guest, "what must stay open stays open in QEMU") {
  test::TestHost fake;
  fake.runner.answer("qemu-system-x86_64", {.exit_status = 3});
  host.qemu = "/usr/bin/qemu-system-x86_64";
  CHECK(run_supervised(fake.host(), plan(), lock(), {{7}}) == 3);
  CHECK(fake.runner.calls.back().command.inherited_fds == std::vector{7});
  CHECK_FALSE(fake.runner.calls.back().detached);
}

TEST_CASE_METHOD(Guest, "a run is paused and goes on, and says where it did so already") {
  REQUIRE(installed());
  run_detached(real, detached_plan(), lock(), {});
  CHECK(pause_run(folder / "run"));
  CHECK_FALSE(pause_run(folder / "run"));
  CHECK(run_detail(folder / "run") == "paused");
  CHECK(resume_run(folder / "run"));
  CHECK_FALSE(resume_run(folder / "run"));
  CHECK(run_detail(folder / "run") == "running");
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(Guest, "a guest that ignores ACPI is reset in the same QEMU, and a paused one runs afterwards") {
  REQUIRE(installed());
  const auto pid = run_detached(real, detached_plan(), lock(), {});
  CHECK(restart_run(folder / "run", 1s, false) == RestartWay::reset);
  CHECK(run_detail(folder / "run") == "running");
  pause_run(folder / "run");
  CHECK(restart_run(folder / "run", 1s, true) == RestartWay::reset);
  CHECK(run_detail(folder / "run") == "running");
  CHECK(run_pid(folder / "run") == pid);
  stop_run(layers[0], folder / "run", 0s, true);
}

namespace {

// A store of which a test says how much is left. Its guard is a copy of this process, and reads it from a file.
struct GuardedGuest : Guest {
  GuardedGuest() {
    real.space = [file = folder / "left"](const std::filesystem::path&) {
      const auto left = base::parse_unsigned(sys::read_file(file)).value_or(0);
      return sys::Space{.total_bytes = total, .used_bytes = total - left, .available_bytes = left};
    };
    leave(total / 2);
  }
  void leave(std::uint64_t bytes) const {
    sys::AtomicFile file(folder / "left");
    file.write(std::to_string(bytes));
    file.commit();
  }
  std::optional<GuardReport> report() const { return guard_report(folder / "run"); }
  bool becomes(const std::string& detail, bool paused_for_room) const {
    const auto is_so = [&] {
      return run_detail(folder / "run") == detail && report() && report()->paused == paused_for_room;
    };
    for (int turn = 0; turn < 300 && !is_so(); ++turn) std::this_thread::sleep_for(100ms);
    return is_so();
  }

  static constexpr std::uint64_t total = 100 * base::GiB;
  std::uint64_t kept = machine::room_to_keep({.total_bytes = total});
};

}  // namespace

TEST_CASE_METHOD(GuardedGuest,
                 "a machine runs while more is left than is kept, pauses at that, and goes on with room") {
  REQUIRE(installed());
  leave(kept + 1);
  run_detached(real, detached_plan(), lock(), {});
  REQUIRE(becomes("running", false));
  CHECK(report()->room_bytes == 1);
  leave(kept);
  CHECK(becomes("paused", true));
  CHECK(report()->room_bytes == 0);
  leave(total / 2);
  INFO("why it stands still stays known until it is resumed");
  for (int turn = 0; turn < 300 && report()->room_bytes == 0; ++turn) std::this_thread::sleep_for(100ms);
  CHECK(report()->room_bytes > 0);
  CHECK(becomes("paused", true));
  resume_run(folder / "run");
  CHECK(becomes("running", false));
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(Guest, "a screen is shown as a PNG, and a machine without one says so") {
  REQUIRE(installed());
  run_detached(real, detached_plan(), lock(), {});
  CHECK_THAT(screenshot_run(folder / "run"), Catch::StartsWith("\x89PNG\r\n"));
  CHECK(sys::status(folder / "run/screenshot.png").type == sys::FileType::missing);
  stop_run(layers[0], folder / "run", 0s, true);
  request.console = Console::serial;
  run_detached(real, detached_plan(), lock(), {});
  CHECK(test::kind_of([&] { screenshot_run(folder / "run"); }) == base::ErrorKind::unsupported);
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(Guest, "the serial line of a run is for one at a time") {
  REQUIRE(installed());
  run_detached(real, detached_plan(), lock(), {});
  const auto socket = console_socket(folder / "run");
  {
    const auto somebody = sys::UnixSocket::connect(socket, 1s);
    REQUIRE(somebody);
    const auto seen = [&] { return test::kind_of([&] { console_socket(folder / "run"); }) == base::ErrorKind::busy; };
    CHECK(seen());
  }
  stop_run(layers[0], folder / "run", 0s, true);
  request.console = Console::none;
  run_detached(real, detached_plan(), lock(), {});
  CHECK(test::kind_of([&] { console_socket(folder / "run"); }) == base::ErrorKind::unsupported);
  stop_run(layers[0], folder / "run", 0s, true);
}

TEST_CASE_METHOD(GuestWithTpm, "a TPM ends with its QEMU, also with one that is killed, and keeps what it remembers") {
  REQUIRE(installed());
  const auto pid = run_detached(real, detached_plan(), lock(), {});
  CHECK(tpm_runs_on(100ms));
  kill(pid, SIGKILL);
  CHECK_FALSE(tpm_runs_on(4s));
  CHECK(sys::status(host.tpm_folder / "tpm2-00.permall").size_bytes > 0);
  const auto result = run_watched(real, watched_plan(), lock(), {}, waiting_for("hello"));
  CHECK(result.end == WatchEnd::matched);
  CHECK(result.qemu_errors == "");
  CHECK_FALSE(tpm_runs_on(4s));
}

TEST_CASE_METHOD(GuestWithTpm, "QEMU that dies early leaves no TPM behind") {
  REQUIRE(installed());
  request.hardware.cpu = "no-such-cpu";
  CHECK_THROWS_WITH(run_detached(real, detached_plan(), lock(), {}), Contains("no-such-cpu"));
  CHECK_FALSE(tpm_runs_on(4s));
}
