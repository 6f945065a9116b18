// The runs of a machine, for the commands that give them orders.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// QEMU as hrvm started it, or a domain that libvirt runs. The orders are those of control.hpp.
struct Run {
  machine::Path layer, run_folder;
  bool throw_away = false;
  std::optional<launch::Domain> domain = std::nullopt;

  launch::StopWay stop(std::chrono::seconds patience, bool at_once) const;
  bool pause() const;
  bool resume() const;
  launch::RestartWay restart(std::chrono::seconds patience, bool at_once) const;
  std::string screenshot() const;
};

// The machine's own run, else those of it in throw-away layers. Error{not_found} when there is none.
std::vector<Run> runs_named(const Context& context, std::string_view name);

// --timeout, or a minute. Error{usage} for more than a day.
std::chrono::seconds patience_of(const Arguments& arguments);
Option patience_option();

// What became of a machine in one word, "paused", and as a sentence.
report::Report run_report(std::string_view command, const std::string& machine, std::string_view word,
                          std::string sentence);

}  // namespace hrvm::cli
