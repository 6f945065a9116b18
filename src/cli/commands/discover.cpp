// hrvm discover [SOURCE…]: what disks there are, what is on them, and what of it can be imported.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/views/discover_view.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Error;

constexpr int some_failed = 1, problems_found = 3;

// Disks as they come to light, and whether one of them was lost on the way. One that was is reported on stderr at once.
struct Discovery {
  const Context& context;
  std::vector<Discovered> found;
  bool failed = false;

  void fail(const Error& error) {
    failed = true;
    print_error(context.host.streams.err, error, message_style(context.host, context.arguments));
  }
};

// By which of them it has been named already; nullptr for none.
const probe::Disk* same_among(const std::vector<probe::Disk>& disks, const probe::Disk& disk) {
  const auto found =
      std::ranges::find_if(disks, [&](const probe::Disk& each) { return sys::is_same_file(each.path, disk.path); });
  return found == disks.end() ? nullptr : &*found;
}

// One that was named and is none is the whole command's failure when it is the only one.
std::vector<probe::Disk> named_disks(Discovery& discovery, const std::vector<std::string>& sources) {
  if (sources.size() == 1) return {probe::locate_disk(discovery.context.host, sources.front())};
  std::vector<probe::Disk> disks;
  for (const std::string& source : sources) try {
      auto disk = probe::locate_disk(discovery.context.host, source);
      if (const probe::Disk* same = same_among(disks, disk))
        discovery.context.note(fmt::format("{} is the same as {}, and told once", source, same->path));
      else
        disks.push_back(std::move(disk));
    } catch (const Error& error) {
      discovery.fail(error);
    }
  return disks;
}

std::vector<probe::Disk> disks_to_survey(Discovery& discovery) {
  const Arguments& arguments = discovery.context.arguments;
  if (!arguments.positionals().empty()) return named_disks(discovery, arguments.positionals());
  return probe::attached_disks(discovery.context.host, arguments.has("--all"));
}

void tell_reads(const Context& context, const probe::Survey& survey) {
  const block::ReadCount& reads = survey.contents.reads;
  context.note(
      fmt::format("{} was read {} times, {} in all", survey.disk.path, reads.reads, base::format_bytes(reads.bytes)));
}

void survey_folder(Discovery& discovery, const probe::Disk& folder, probe::Thoroughness thoroughness) try {
  const auto files = fs::open_folder({folder.path});
  auto survey = probe::survey_folder(*files, folder, thoroughness);
  discovery.found.push_back({folder, std::move(survey.contents), std::nullopt});
} catch (const Error& error) {
  discovery.fail(error);
  discovery.found.push_back({folder, std::nullopt, std::nullopt});
}

// No hardware goes with a file that is no disk.
std::optional<machine::Advice> advice(const probe::Survey& survey, const machine::HostResources& resources) {
  if (survey.disk.container || (survey.contents.is_blank() && !survey.disk.looks_like.empty())) return std::nullopt;
  return machine::advise(survey, resources);
}

void survey(Discovery& discovery, std::vector<probe::Disk> disks) {
  const auto is_folder = [](const probe::Disk& disk) { return disk.kind == probe::DiskKind::directory; };
  const auto thoroughness =
      discovery.context.arguments.has("--quick") ? probe::Thoroughness::quick : probe::Thoroughness::full;
  for (const probe::Disk& disk : disks)
    if (is_folder(disk)) survey_folder(discovery, disk, thoroughness);
  std::erase_if(disks, is_folder);
  const machine::HostResources resources = machine::host_resources(discovery.context.host);
  const auto attempts = probe::survey_disks(discovery.context.host, disks, thoroughness);
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (attempts[i].error) {
      discovery.fail(*attempts[i].error);
      discovery.found.push_back({disks[i], std::nullopt, std::nullopt});
      continue;
    }
    const probe::Survey& survey = *attempts[i].survey;
    if (discovery.context.verbose) tell_reads(discovery.context, survey);
    discovery.found.push_back({survey.disk, survey.contents, advice(survey, resources)});
  }
}

bool has_error_finding(const Discovered& discovered) {
  return discovered.contents && std::ranges::any_of(discovered.contents->findings, [](const base::Finding& finding) {
           return finding.severity == base::Severity::error;
         });
}

Outcome run_discover(const Context& context) {
  Discovery discovery{context, {}};
  survey(discovery, disks_to_survey(discovery));
  const int found = std::ranges::any_of(discovery.found, has_error_finding) ? problems_found : 0;
  return {.report = discover_report(discovery.found), .status = discovery.failed ? some_failed : found};
}

}  // namespace

const Command discover_command = {
    .name = "discover",
    .summary = "tell what disks there are, what is on them, and what can be imported",
    .options = {{.name = "--all", .help = "also tell loop, zram, optical and other devices that rarely hold a system"},
                {.name = "--quick", .help = "leave out what needs an initramfs unpacked"}},
    .positionals = {{"SOURCE", "disks, images or folders; all attached disks without one", Completes::source,
                     Positional::Count::any}},
    .run = run_discover,
};

}  // namespace hrvm::cli
