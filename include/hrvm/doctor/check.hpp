// Checks: what is wrong or missing on this host or for a machine, each with a remedy that can be pasted. One file each
// under src/doctor; the table is their order.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::doctor {

enum class Status { ok, warning, error, skipped };
std::string_view word(Status status);

struct CheckResult {
  std::string id;  // "kvm"
  Status status = Status::ok;
  std::string message;
  std::string remedy;  // empty: nothing to do
};

struct Circumstances {
  const sys::Host& host;
  const machine::Store& store;
  std::optional<std::string> machine;  // only this one
  bool quiet = false;                  // no progress is shown
};

// What a fix changes: of a recorded host only the store is there to be changed.
enum class Fixes { store, host };

struct Check {
  std::string_view id;
  // What is wrong, one result each (a machine, a file, a service), or one that says that nothing is. Never throws for
  // what it examines.
  std::vector<CheckResult> (*run)(const Circumstances&);
  // Puts right what can be put right without loss; null where a person has to decide. Error when it cannot.
  void (*fix)(const Circumstances&) = nullptr;
  Fixes fixes = Fixes::store;
};

std::span<const Check> checks();

}  // namespace hrvm::doctor
