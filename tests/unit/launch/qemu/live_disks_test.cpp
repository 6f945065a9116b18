#include "launch/qemu/live_disks.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "unit/launch/player.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::live_disks;
using launch::Qmp;
using launch::testing::Player;

namespace {

constexpr auto greeting = R"({"QMP": {"version": {}, "capabilities": []}})", done = R"({"return": {}})";

// Of a CD drive, and of two disks, the second one on another bus; the first has been kept while it ran.
constexpr auto disks = R"({"return": [
  {"qdev": "disc", "device": ""},
  {"qdev": "disk2-device", "device": "", "inserted": {"node-name": "disk2", "file": "json:{}"}},
  {"qdev": "/machine/peripheral/disk0/virtio-backend", "inserted": {"node-name": "layer-a7", "file": "json:{}"}}]})";
constexpr auto nodes = R"({"return": [
  {"node-name": "layer-a7", "file": "json:{}", "cache": {"direct": false}},
  {"node-name": "layer-a7-file", "file": "/store/web/layers/a7.qcow2", "cache": {"direct": true}},
  {"node-name": "disk-file", "file": "/store/web/layers/a1.qcow2", "cache": {"direct": true}},
  {"node-name": "disk2-file", "file": "/store/web/layers/a1-1.qcow2", "cache": {"direct": false}}]})";

std::string on_one_line(std::string text) {
  std::erase(text, '\n');
  return text;
}

struct FakeQemu : Player {
  explicit FakeQemu(const std::string& told = disks)
      : Player({greeting, done, on_one_line(told), on_one_line(nodes)}), qmp(*Qmp::connect(path, 1s)) {}
  Qmp qmp;
};

}  // namespace

TEST_CASE("what a disk's guest writes to is found by its device, whatever the nodes are called by now") {
  FakeQemu qemu;
  const auto live = live_disks(qemu.qmp, 2);
  REQUIRE(live.size() == 2);
  CHECK(live[0].node == "layer-a7");
  CHECK(live[0].file == "/store/web/layers/a7.qcow2");
  CHECK(live[0].direct);
  CHECK(live[1].node == "disk2");
  CHECK(live[1].file == "/store/web/layers/a1-1.qcow2");
  CHECK_FALSE(live[1].direct);
}

TEST_CASE("a disk that QEMU does not tell of is none to write to") {
  FakeQemu three;
  CHECK_THROWS_AS(live_disks(three.qmp, 3), base::Error);
  FakeQemu other(R"({"return": [{"qdev": "disk0", "inserted": {"node-name": "by-hand"}}]})");
  CHECK_THROWS_AS(live_disks(other.qmp, 1), base::Error);
  FakeQemu none(R"({"return": [{"qdev": "disk0"}]})");
  CHECK_THROWS_AS(live_disks(none.qmp, 1), base::Error);
  FakeQemu nonsense(R"({"return": {"disk0": [7]}})");
  CHECK_THROWS_AS(live_disks(nonsense.qmp, 1), base::Error);
}
