#include "probe/start_findings.hpp"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/roots/architecture.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

struct Architecture {
  std::string name, because;
};

std::string place_of(const OtherLoader& loader) { return describe(EfiLoader{loader.partition, loader.path, false}); }

// A disk that starts on both is no other one: an installation medium for several processors.
std::optional<Architecture> by_loaders(const StartEvidence& evidence) {
  const auto foreign = std::ranges::find_if(evidence.other_loaders,
                                            [](const OtherLoader& loader) { return is_foreign(loader.architecture); });
  if (foreign == evidence.other_loaders.end()) return std::nullopt;
  return Architecture{foreign->architecture, "by its boot loader, " + place_of(*foreign)};
}

std::optional<Architecture> by_partitions(const Contents& contents) {
  std::optional<Architecture> found;
  for (const SurveyedPartition& surveyed : contents.partitions) {
    const auto name = architecture_of_partition(surveyed.partition.type);
    if (name.empty()) continue;
    if (!is_foreign(name)) return std::nullopt;
    if (!found)
      found = {std::string(name),
               fmt::format("by the type of p{}, {}", surveyed.partition.number, surveyed.partition.type_name)};
  }
  return found;
}

std::optional<Architecture> foreign_architecture(const Contents& contents, const StartEvidence& evidence) {
  const auto is_own = [](const System& system) { return !system.inside; };
  const auto is_of_here = [&](const System& system) {
    return is_own(system) && !system.architecture.empty() && !is_foreign(system.architecture);
  };
  if (std::ranges::any_of(contents.systems, is_of_here)) return std::nullopt;
  for (const System& system : contents.systems)
    if (is_own(system) && is_foreign(system.architecture))
      return Architecture{system.architecture, fmt::format("by the programs of {} in {}", system.name, system.root)};
  if (!evidence.kernel_architecture.empty()) {
    if (!is_foreign(evidence.kernel_architecture)) return std::nullopt;
    return Architecture{std::string(evidence.kernel_architecture), "by its kernel"};
  }
  if (contents.boot.bios || contents.boot.uefi()) return std::nullopt;
  const auto found = by_loaders(evidence);
  return found ? found : by_partitions(contents);
}

// Firmware of 32 bits, as some computers of 64 bits have it.
std::string why_none(const StartEvidence& evidence) {
  const auto narrow = std::ranges::find(evidence.other_loaders, "x86", &OtherLoader::architecture);
  if (narrow == evidence.other_loaders.end()) return "there is no boot loader on it for BIOS or UEFI";
  return fmt::format("its only boot loader is one for UEFI of 32 bits, {}, and a machine's firmware has 64",
                     place_of(*narrow));
}

// A disk of data may have an EFI system partition, which is empty then.
bool is_to_start(const Contents& contents, const StartEvidence& evidence) {
  return contents.own_system() != nullptr || !evidence.other_loaders.empty();
}

constexpr std::string_view linux_way_out =
    "start the machine from a rescue disc, and install a boot loader there, which goes to the machine's layer: hrvm "
    "boot MACHINE --iso RESCUE.iso,boot; or copy its root into a folder: hrvm import FOLDER starts the kernel that "
    "lies "
    "in it without a loader";
constexpr std::string_view other_way_out =
    "start the machine from a medium that installs or repairs this system, which writes to the machine's layer: hrvm "
    "boot MACHINE --iso FILE,boot";

// Whose root a folder can be, and who has a boot loader that a rescue disc installs.
bool is_linux(const Contents& contents) {
  const System* system = contents.own_system();
  return system == nullptr || system->family == SystemFamily::linux;
}

}  // namespace

bool add_other_architecture(Contents& contents, const StartEvidence& evidence) {
  const auto foreign = foreign_architecture(contents, evidence);
  if (foreign)
    contents.findings.push_back(
        {"other-architecture", Severity::warning, evidence.disk,
         base::printable(fmt::format("it is made for {} processors, and a machine has an x86-64 one: {}", foreign->name,
                                     foreign->because)),
         "it starts on its own kind of computer, or with qemu-system for " + foreign->name});
  return foreign.has_value();
}

void add_start_findings(Contents& contents, const StartEvidence& evidence) {
  if (add_other_architecture(contents, evidence)) return;
  if (contents.boot.bios || contents.boot.uefi() || !is_to_start(contents, evidence)) return;
  contents.findings.push_back({"no-loader", Severity::warning, evidence.disk,
                               base::printable(fmt::format("nothing in a machine starts it: {}", why_none(evidence))),
                               std::string(is_linux(contents) ? linux_way_out : other_way_out)});
}

}  // namespace hrvm::probe
