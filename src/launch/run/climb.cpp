#include "hrvm/launch/climb.hpp"

#include "hrvm/launch/firmware.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::launch {

namespace {

using Clock = std::chrono::steady_clock;

// Emulated systems take their time, and a try that gets nowhere is given up earlier.
constexpr std::chrono::seconds usual_patience{300};

Verdict verdict_of(BootJudge& judge, const WatchResult& result) {
  if (result.end == WatchEnd::judged) return *judge.verdict(Clock::now());
  return {false, Stage::system, "it switched itself off"};
}

WatchResult boot_once(const sys::Host& host, const machine::Store& store, const BootRequest& request,
                      const Listener& listener, const WatchRequest& watch) {
  auto boot = prepare(host, store, request, listener);
  make(boot, host, listener);
  return run_made(boot, [&] { return run_watched(host, boot.plan, std::move(boot.lock), boot.keep, watch); });
}

}  // namespace

std::vector<Try> climb(std::vector<Rung> rungs, const std::function<Try(const Rung&)>& try_rung,
                       const ClimbListener& listener) {
  std::vector<Try> tries;
  while (!rungs.empty() && (tries.empty() || !tries.back().verdict.up)) {
    const auto rung = rungs.front();
    rungs.erase(rungs.begin());
    listener.begins(tries.size() + 1, rung);
    tries.push_back(try_rung(rung));
    listener.ended(tries.back());
    rungs = after_failure(std::move(rungs), rung, tries.back().verdict.stage);
  }
  return tries;
}

std::vector<Rung> first_ladder(const sys::Host& host, const machine::Machine& machine) {
  const auto& definition = machine.definition;
  const auto& hardware = definition.active.hardware;
  const bool has_uefi = choose_uefi_firmware(uefi_firmwares(host), hardware.secure_boot).has_value();
  return ladder(hardware, definition.disks.front().sectors, has_uefi);
}

Try try_rung(const sys::Host& host, const machine::Store& store, BootRequest request, const Rung& rung,
             std::optional<std::chrono::seconds> patience, const Listener& listener,
             const std::function<void(const std::string&)>& on_line) {
  request.launch.hardware.bus = rung.bus;
  request.launch.hardware.firmware = rung.firmware;
  const auto start = Clock::now();
  BootJudge judge(start, patience.value_or(usual_patience));
  WatchRequest watch;
  watch.on_line = on_line;
  watch.judge = &judge;
  const auto result = boot_once(host, store, request, listener, watch);
  const auto took = std::chrono::round<std::chrono::seconds>(Clock::now() - start);
  return {rung, verdict_of(judge, result), took, result.console_tail};
}

bool keep_rung(const sys::Host& host, const machine::Store& store, const std::string& name, const Rung& rung) {
  const auto lock = store.lock(name);
  const auto machine = load_settled(host, store, name);
  check_stopped(host, machine, "changed");
  const auto& hardware = machine.definition.active.hardware;
  if (hardware.bus == rung.bus && hardware.firmware == rung.firmware) return false;
  const auto change =
      machine::plan_set(machine, {{"bus", std::string(word(rung.bus))}, {"firmware", std::string(word(rung.firmware))}},
                        draw(host, store));
  machine::apply(store, machine, change, {});
  return true;
}

}  // namespace hrvm::launch
