// Bisect: the search for the first state of a machine that is bad, among those that lie between one that is good and
// one that is bad. Half of what is left is ruled out with each test, as git bisect does it.
//
// Where the good one does not lie under the bad one, what both lie on is tested first: the search goes on from there
// when it is good, and ends when it is bad, as then something on the good one's way mended it.
//
// STORE/NAME/bisect.json holds it. Snapshots that take part are not deleted meanwhile; they may get another name, as
// states are known by their layers.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

enum class BisectVerdict { good, bad, skip };
constexpr std::array<std::string_view, 3> words_of(BisectVerdict) { return {"good", "bad", "skip"}; }

// A state that takes part. The base has no layer.
struct BisectState {
  std::string name;  // its snapshot's, "base" or "current"
  std::string layer;
  friend bool operator==(const BisectState&, const BisectState&) = default;
};
inline constexpr std::string_view base_state = "base", current_state = "current";

struct BisectTest {
  std::string layer;
  BisectVerdict verdict = BisectVerdict::skip;
  base::Time when{};
  std::optional<int> status{};                 // of a command
  std::optional<std::chrono::seconds> took{};  // null: a person said it
  std::string seen{};                          // what the verdict is by, printable; empty: a person said it
};

struct Bisect {
  base::Time began{};
  bool by_time = false;  // as it was begun
  BisectState good;
  std::vector<BisectState>
      states;                     // the oldest first; the last one is bad, the first is `good` or what is tested first
  std::vector<BisectTest> tests;  // the oldest first; of one state the last counts

  const BisectState& bad() const { return states.back(); }
  bool begins_at_fork() const { return states.front() != good; }
};

struct BisectRequest {
  std::optional<std::string> bad, good;  // null: "current" and "base"
  bool by_time = false;                  // all snapshots between the two times, in order, whatever lies on what
};
// Error{usage} where there is nothing to look for; {not_found} for what is no snapshot.
Bisect begin_bisect(const Machine& machine, const BisectRequest& request, base::Time now);

// How far it has come.
struct BisectStanding {
  enum class End {
    open,
    found,         // states[bad] is the first bad one
    only_skipped,  // the first bad one is one of `candidates`
    mended,        // what both lie on is bad
  };
  End end = End::open;
  std::size_t good = 0, bad = 0;        // indices: the newest that is good, the oldest that is bad
  std::optional<std::size_t> next;      // to test, while it is open
  std::size_t left = 0;                 // that may be tested yet
  std::vector<std::size_t> candidates;  // may be the first bad one, the oldest first
};
BisectStanding standing(const Bisect& bisect);
// So many tests more, at most, where none is skipped.
unsigned tests_left(const BisectStanding& standing);

// Verdicts that cannot be true beside one another: a good one behind a bad one. Error{usage} that says which.
std::optional<base::Error> contradiction(const Bisect& bisect);
// With one verdict more. Throws what it would contradict, and leaves all as it was.
void add_verdict(Bisect& bisect, BisectTest test);
// Of this name among its states: a name of now, or of then. Error{not_found} with what there is.
const BisectState& find_state(const Bisect& bisect, const Machine& machine, std::string_view name);
// What it is called by now.
std::string name_of(const BisectState& state, const Definition& definition);

// nullopt: there is none. Error{corrupt} with what to do.
std::optional<Bisect> load_bisect(const Machine& machine);
// The same, and Error{not_found} where there is none.
Bisect begun_bisect(const Machine& machine);
void keep_bisect(const Machine& machine, const Bisect& bisect);
bool forget_bisect(const Machine& machine);  // whether there was one

// Of those that take part; empty where there is none.
std::set<std::string> bisected_layers(const Machine& machine);
// Error{busy}: the snapshot takes part in the machine's bisect.
void check_not_bisected(const Machine& machine, std::string_view snapshot);

base::Json to_json(const Bisect& bisect);
Bisect bisect_from_json(const base::Json& json, const std::string& file);

}  // namespace hrvm::machine
