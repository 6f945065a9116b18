#include <catch2/catch.hpp>
#include <cstdio>

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
    plan.qemu = *host.find_program("qemu-system-x86_64");
    plan.accelerator = Accelerator::tcg;
    if (plan.cpu.starts_with("host")) plan.cpu.replace(0, 4, "max");
    plan.hardware.memory_bytes = 64 * base::MiB;
    plan.run_folder = folder.path();
    plan.qmp_socket = folder / "qmp.sock";
    plan.guard_socket = folder / "guard.sock";
    plan.pid_file = folder / "pid";
    if (!plan.vnc_socket.empty()) plan.vnc_socket = folder / "vnc.sock";
    if (!plan.console_socket.empty()) plan.console_socket = folder / "console.sock";
    if (plan.tpm) {
      plan.tpm = {*host.find_program("swtpm"), folder / "tpm", folder / "tpm.sock", folder / "tpm.pid"};
      tpm_lifeline = start_tpm(host, *plan.tpm, {});
    }
    place_files(host);
  }

  void place_files(const sys::Host& host) {
    folder.write("base, with a comma.img", "");
    std::filesystem::resize_file(folder / "base, with a comma.img", 64 * base::MiB);
    const DiskNode base{folder / "base, with a comma.img", "raw", false};
    for (auto& disk : plan.disks) {
      if (disk.base_nodes > 0) disk.chain.back() = base;
      for (std::size_t index = 0; index + (disk.base_nodes > 0) < disk.chain.size(); ++index) {
        auto& path = disk.chain[index].path;
        path = folder / machine::Path(path).filename().string();
        host.runner.run({{"qemu-img", "create", "-q", "-f", "qcow2", path, "64M"}}, 10s);
      }
    }
    for (auto& extra : plan.extra_disks) extra.chain = {base};
    if (!plan.firmware) return;
    plan.nvram = folder / "vars.fd";
    std::filesystem::copy_file(plan.firmware->template_path, plan.nvram);
  }

  test::TemporaryDirectory folder;
  LaunchPlan plan;
  sys::Fd tpm_lifeline;
};

std::optional<Qmp> connect_when_there(sys::Child& qemu, const LaunchPlan& plan) {
  for (int turn = 0; turn < 1000 && !qemu.poll(); ++turn) {
    if (auto qmp = Qmp::connect(plan.qmp_socket, 10s)) return qmp;
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
  while (it.plan.serial == SerialTarget::watched && !reader && !qemu.wait(10ms)) {
    reader = sys::UnixSocket::connect(it.plan.console_socket, 1s);
  }
  auto qmp = connect_when_there(qemu, it.plan);
  if (!qmp) return "ended: " + complaints(it);
  const auto status = qmp->execute("query-status", base::Json::object(), 10s)["status"].text().value_or("?");
  qmp->execute("quit", base::Json::object(), 10s);
  if (!qemu.wait(10s)) qemu.signal(9);
  return status + complaints(it);
}

}  // namespace

TEST_CASE("each kind of machine has its command") {
  for (const auto& variant : launch::testing::variants()) {
    Sample sample;
    variant.change(sample);
    launch::testing::check_golden(variant.name + ".args", listed(sample.command()));
  }
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
  request.forwards = {{2222, 22}};
  CHECK_THAT(listed(command()), Contains("-netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22\n"));
}

TEST_CASE("QEMU takes every word of these commands") {
  const auto runner = sys::make_process_runner();
  const auto host = sys::real_host(*runner);
  if (!host.find_program("qemu-system-x86_64") || !host.find_program("qemu-img")) return;
  for (const auto& variant : launch::testing::variants()) {
    Sample sample;
    variant.change(sample);
    const auto plan = sample.plan();
    if (!variant.runs_anywhere || (plan.firmware && !sys::is_readable(plan.firmware->code_path))) continue;
    if (plan.tpm && !host.find_program("swtpm")) continue;
    INFO(variant.name);
    const OnThisHost it(host, sample);
    CHECK(start_and_quit(host, it) == "prelaunch");
  }
}
