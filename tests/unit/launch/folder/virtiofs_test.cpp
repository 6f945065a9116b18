// What keeps the guests of one folder apart. Needs root, for the overlay.
#include "hrvm/launch/virtiofs.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "support/failing.hpp"
#include "support/skipping.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::launch;

namespace {

struct Served {
  Served() { std::filesystem::create_directories(base); }

  LaunchPlan plan(const std::string& name, bool is_direct) const {
    const machine::Path layer = folder / (name + ".folder"), run = folder / (name + ".run");
    if (!std::filesystem::exists(layer)) machine::make_folder_layer(layer, base);
    std::filesystem::create_directories(run);
    LaunchPlan plan;
    plan.disks.own.emplace_back().chain.push_back({layer, probe::DiskFormat::folder, false});
    auto& shared = plan.companions.folder.emplace();
    shared.program = "/bin/true";  // what is locked stays so without a server
    shared.base = base;
    if (!is_direct)
      shared.overlay = sys::OverlayMount{{base}, machine::upper_of(layer), machine::work_of(layer), run / "root"};
    shared.folder = is_direct ? base : run / "root";
    shared.socket = run / "root.sock";
    shared.log = run / "virtiofsd.log";
    shared.initramfs = run / "initramfs";
    shared.own.stack = {base};
    return plan;
  }
  std::vector<sys::Fd> direct(const std::string& name) const { return share_folder(host, plan(name, true), {}); }
  std::vector<sys::Fd> clone(const std::string& name) const { return share_folder(host, plan(name, false), {}); }

  test::TemporaryDirectory folder;
  machine::Path base = folder / "base";
  std::unique_ptr<sys::Runner> runner = sys::make_process_runner();
  sys::Host host = sys::real_host(*runner);
};

constexpr auto busy = base::ErrorKind::busy;

// Servers end a moment after what they serve.
std::vector<sys::Fd> eventually(const std::function<std::vector<sys::Fd>()>& start) {
  for (int attempt = 0;; ++attempt) try {
      return start();
    } catch (const base::Error& error) {
      if (error.kind() != busy || attempt > 200) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

}  // namespace

TEST_CASE_METHOD(Served, "clones of a folder run side by side, and while one does no guest writes to the folder") {
  if (::geteuid() != 0) HRVM_SKIP("needs root");
  auto one = clone("one"), two = clone("two");
  CHECK(test::kind_of([&] { direct("direct"); }) == busy);
  one.clear();
  CHECK(test::kind_of([&] { direct("direct"); }) == busy);
  two.clear();
  CHECK_NOTHROW(eventually([&] { return direct("direct"); }));
}

TEST_CASE_METHOD(Served, "while a guest writes to a folder, neither a clone of it nor another that writes starts") {
  if (::geteuid() != 0) HRVM_SKIP("needs root");
  auto held = direct("direct");
  CHECK(test::kind_of([&] { clone("one"); }) == busy);
  CHECK(test::kind_of([&] { direct("other"); }) == busy);
  held.clear();
  CHECK_NOTHROW(eventually([&] { return clone("one"); }));
}
