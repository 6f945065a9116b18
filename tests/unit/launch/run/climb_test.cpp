#include "hrvm/launch/climb.hpp"

#include <catch2/catch.hpp>

using namespace hrvm;
using namespace hrvm::launch;
using machine::Bus;
using machine::Firmware;

namespace {

const std::vector<Rung> rungs = {
    {Bus::virtio, Firmware::bios}, {Bus::sata, Firmware::bios}, {Bus::virtio, Firmware::uefi}};

// A machine that comes up on one rung, and comes so far on the others.
struct Climbing {
  std::optional<Rung> good;
  Stage stage = Stage::kernel;
  std::vector<std::size_t> begun = {};
  std::size_t ended = 0;

  std::vector<Try> run() {
    const auto try_rung = [&](const Rung& rung) { return Try{rung, {rung == good, stage, "seen"}, {}, {}}; };
    return climb(rungs, try_rung,
                 {.begins = [&](std::size_t number, const Rung&) { begun.push_back(number); },
                  .ended = [&](const Try&) { ++ended; }});
  }
};

std::vector<Rung> rungs_of(const std::vector<Try>& tries) {
  std::vector<Rung> all;
  for (const auto& each : tries) all.push_back(each.rung);
  return all;
}

}  // namespace

TEST_CASE("a climb ends where a try comes up, and tells each try as it begins and ends") {
  Climbing climbing{rungs[1]};
  const auto tries = climbing.run();
  CHECK(rungs_of(tries) == std::vector<Rung>{rungs[0], rungs[1]});
  CHECK(tries.back().verdict.up);
  CHECK(climbing.begun == std::vector<std::size_t>{1, 2});
  CHECK(climbing.ended == 2);
}

TEST_CASE("a climb tries every rung once where none comes up, and none where there is none") {
  CHECK(rungs_of(Climbing{}.run()) == rungs);
  CHECK(climb({}, [](const Rung& rung) { return Try{rung, {}, {}, {}}; }, {}).empty());
}

TEST_CASE("a climb goes to the other firmware where the firmware found nothing to boot") {
  CHECK(rungs_of(Climbing{std::nullopt, Stage::firmware}.run()) == std::vector<Rung>{rungs[0], rungs[2], rungs[1]});
}
