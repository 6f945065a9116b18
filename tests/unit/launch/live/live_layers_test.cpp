#include "launch/live/live_layers.hpp"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "unit/launch/player.hpp"
#include "unit/machine/sample_machine.hpp"

using namespace hrvm;
using namespace std::chrono_literals;
using launch::Qmp;
using launch::read_merged;
using launch::testing::Player;

namespace {

constexpr auto greeting = R"({"QMP": {"version": {}, "capabilities": []}})", done = R"({"return": {}})",
               refused = R"({"error": {"class": "GenericError", "desc": "Node is busy"}})";

// fresh ← tuned ← the active state, as sample_machine.hpp has it; fresh is merged into tuned.
struct Scene {
  Scene() {
    for (const auto* layer : {"00000000000000a1", "00000000000000c1", "00000000000000c2"})
      folder.write(fmt::format("layers/{}.qcow2", layer), "");
  }

  std::filesystem::path path(const std::string& layer) const { return folder / "layers" / (layer + ".qcow2"); }
  std::string file_node(const std::string& name, const std::string& layer) const {
    return fmt::format(R"({{"node-name": "{}-file", "file": "{}", "cache": {{"direct": true}}}})", name,
                       path(layer).string());
  }
  std::string nodes() const {
    return fmt::format(R"({{"return": [{}, {}, {}]}})", file_node("disk", "00000000000000a1"),
                       file_node("layer1", "00000000000000c2"), file_node("layer2", "00000000000000c1"));
  }
  machine::Machine machine() const { return {"web", folder.path(), 1, machine::testing::sample_definition()}; }
  // What QEMU was told, and whether that went well.
  std::string told(const std::vector<std::string>& answers) {
    std::vector<std::string> lines = {greeting, done, nodes(), nodes(), nodes()};
    lines.insert(lines.end(), answers.begin(), answers.end());
    Player qemu(std::move(lines));
    auto qmp = *Qmp::connect(qemu.path, 1s);
    try {
      read_merged(qmp, machine(), {"00000000000000c1", "00000000000000c2"}, "00000000000000e7");
    } catch (const base::Error& error) {
      return qemu.heard + error.message();
    }
    return qemu.heard;
  }

  test::TemporaryDirectory folder;
};

std::vector<std::string> orders(const std::string& heard) {
  std::vector<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = heard.find('\n', at)) != heard.npos; at = end + 1)
    if (auto line = heard.substr(at, end - at); line.find("query-") == line.npos) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& words) { return text.find(words) != text.npos; }

}  // namespace

TEST_CASE(
    "QEMU is given the merged layer on what lay below, moves what lies above to it, and lets go of the old ones") {
  const auto told = orders(Scene().told({done, done, done, done}));
  REQUIRE(told.size() == 5);
  CHECK(has(told[1], R"("execute":"blockdev-add")"));
  CHECK(has(told[1], R"("node-name":"layer-00000000000000e7","read-only":true)"));
  CHECK(has(told[1], R"("backing":"base")"));
  CHECK(has(told[1], "00000000000000c2.qcow2"));
  CHECK(has(told[2], R"("execute":"blockdev-reopen")"));
  CHECK(has(told[2], R"("node-name":"disk","read-only":false)"));
  CHECK(has(told[2], R"("backing":"layer-00000000000000e7","file":"disk-file")"));
  CHECK(has(told[3], R"("node-name":"layer1")"));
  CHECK(has(told[4], R"("node-name":"layer2")"));
}

TEST_CASE("where QEMU refuses to move to it, it forgets the merged layer and keeps those that it has") {
  const auto heard = Scene().told({done, refused, done});
  const auto told = orders(heard);
  REQUIRE(told.size() == 4);
  CHECK(has(told[3], R"("execute":"blockdev-del")"));
  CHECK(has(told[3], R"("node-name":"layer-00000000000000e7")"));
  CHECK(has(heard, "Node is busy"));
}
