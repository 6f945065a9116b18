#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/bisect.hpp"
#include "machine/definition/definition_schema.hpp"
#include "machine/definition/document_value.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using Value = DocumentValue;

constexpr std::string_view schema = "hrvm.bisect/1";
constexpr std::size_t largest_file = 16 << 20;
constexpr std::uint64_t most_status = 255, most_seconds = 1'000'000'000;

Path file_of(const Machine& machine) { return machine.folder / "bisect.json"; }

Json layer_json(const std::string& layer) { return layer.empty() ? Json() : Json(layer); }

Json state_json(const BisectState& state) {
  return Json::object().set("name", state.name).set("layer", layer_json(state.layer));
}

Json test_json(const BisectTest& test) {
  Json json;
  json.set("layer", layer_json(test.layer))
      .set("verdict", word(test.verdict))
      .set("when", base::format_time(test.when));
  json.set("status", test.status).set("seconds", test.took ? Json(std::int64_t(test.took->count())) : Json());
  return json.set("seen", test.seen);
}

std::string read_layer(const Value& value) {
  const auto id = value.optional([](const Value& it) { return it.text_where(is_id, "an id of 16 hex digits"); });
  return id.value_or("");
}

BisectState read_state(const Value& value) {
  value.expect_members({"name", "layer"});
  return {value["name"].text_where(is_snapshot_name, "a snapshot's name"), read_layer(value["layer"])};
}

BisectTest read_test(const Value& value, const std::vector<BisectState>& states) {
  value.expect_members({"layer", "verdict", "when", "status", "seconds", "seen"});
  BisectTest test;
  test.layer = read_layer(value["layer"]);
  if (std::ranges::find(states, test.layer, &BisectState::layer) == states.end())
    value["layer"].fail_expected("that of one of its states");
  test.verdict = value["verdict"].word(from_word<BisectVerdict>, "good, bad or skip");
  test.when = value["when"].time();
  test.status = value["status"].optional([](const Value& it) { return int(it.number(0, most_status)); });
  test.took = value["seconds"].optional(
      [](const Value& it) { return std::chrono::seconds(std::int64_t(it.number(0, most_seconds))); });
  test.seen = base::printable(value["seen"].text());
  return test;
}

}  // namespace

Json to_json(const Bisect& bisect) {
  Json states = Json::array(), tests = Json::array();
  for (const auto& state : bisect.states) states.push(state_json(state));
  for (const auto& test : bisect.tests) tests.push(test_json(test));
  Json json;
  json.set("schema", schema).set("began", base::format_time(bisect.began)).set("by_time", bisect.by_time);
  json.set("good", state_json(bisect.good));
  return json.set("states", std::move(states)).set("tests", std::move(tests));
}

Bisect bisect_from_json(const Json& json, const std::string& file) {
  const Value document(json, file);
  document.expect_members({"schema", "began", "by_time", "good", "states", "tests"});
  if (document["schema"].text() != schema) document["schema"].fail_newer("this is no bisect that this hrvm knows");
  Bisect bisect;
  bisect.began = document["began"].time();
  bisect.by_time = document["by_time"].boolean();
  bisect.good = read_state(document["good"]);
  for (const auto& state : document["states"].items()) bisect.states.push_back(read_state(state));
  if (bisect.states.size() < 2) document["states"].fail_expected("two states at least");
  for (const auto& test : document["tests"].items()) bisect.tests.push_back(read_test(test, bisect.states));
  if (const auto wrong = contradiction(bisect)) document["tests"].fail(wrong->message());
  return bisect;
}

std::optional<Bisect> load_bisect(const Machine& machine) try {
  const auto file = file_of(machine);
  if (sys::link_status(file).type == sys::FileType::missing) return std::nullopt;
  return bisect_from_json(base::parse_json(sys::read_file(file, largest_file), file.string()), file.string());
} catch (Error& error) {
  if (error.kind() != ErrorKind::corrupt) throw;
  throw std::move(error).hint(fmt::format("hrvm bisect reset {} takes it away; no snapshot is touched", machine.name));
}

Bisect begun_bisect(const Machine& machine) {
  if (auto bisect = load_bisect(machine)) return *std::move(bisect);
  throw Error(ErrorKind::not_found, fmt::format("no bisect of {} was begun", machine.name))
      .hint(fmt::format("hrvm bisect start {} [BAD [GOOD]] begins one", machine.name));
}

void keep_bisect(const Machine& machine, const Bisect& bisect) {
  sys::AtomicFile file(file_of(machine));
  file.write(base::to_text(to_json(bisect)) + "\n");
  file.commit();
}

bool forget_bisect(const Machine& machine) {
  const auto file = file_of(machine);
  const bool was_there = sys::link_status(file).type != sys::FileType::missing;
  sys::remove_all(file);
  return was_there;
}

std::set<std::string> bisected_layers(const Machine& machine) {
  std::set<std::string> layers;
  if (const auto bisect = load_bisect(machine))
    for (const auto& state : bisect->states) layers.insert(state.layer);
  return layers;
}

void check_not_bisected(const Machine& machine, std::string_view snapshot) {
  const auto* found = machine.definition.find_snapshot(snapshot);
  if (!found || !bisected_layers(machine).contains(found->layer)) return;
  throw Error(ErrorKind::busy, fmt::format("{}@{} takes part in a bisect", machine.name, snapshot))
      .hint(fmt::format("hrvm bisect status {0} tells how far it is; hrvm bisect reset {0} ends it", machine.name));
}

}  // namespace hrvm::machine
