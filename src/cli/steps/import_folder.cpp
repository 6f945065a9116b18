#include "cli/steps/import_folder.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Severity;

bool is_in(const sys::Path& path, const sys::Path& folder) {
  const auto relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

void check_store(const machine::Store& store, const probe::Disk& folder) {
  if (!is_in(std::filesystem::weakly_canonical(store.folder()), folder.path)) return;
  throw Error(ErrorKind::refused, fmt::format("the store lies in {} itself", folder.path))
      .on(store.folder())
      .hint("name a store elsewhere with --store");
}

void check_user(const sys::Host& host) {
  if (host.is_root()) return;
  throw Error(ErrorKind::permission, "only root can make a machine of a folder: its files belong to many users")
      .hint("run hrvm as root");
}

// What is mounted in a tree by somebody who works in it.
void find_mounts(const sys::Host& host, probe::Survey& survey) {
  std::vector<std::string> found;
  for (const auto& mount : sys::mounts(host))
    if (mount.mount_point != survey.disk.path && is_in(mount.mount_point, survey.disk.path))
      found.push_back(mount.mount_point);
  if (found.empty()) return;
  survey.contents.findings.push_back({"folder-mounts", Severity::warning, survey.disk.path,
                                      "the machine does not see what is mounted in it: " + base::join(found, ", "),
                                      "unmount that"});
}

}  // namespace

probe::Survey survey_folder(const Context& context, const machine::Store& store, const probe::Disk& folder) {
  check_user(context.host);
  check_store(store, folder);
  const auto files = fs::open_folder({folder.path});
  auto survey = probe::survey_folder(*files, folder);
  for (const auto& finding : survey.contents.findings)
    if (finding.severity == Severity::error)
      throw Error(ErrorKind::unsupported, folder.path + " cannot boot: " + finding.message)
          .on(folder.path)
          .hint(finding.remedy);
  find_mounts(context.host, survey);
  return survey;
}

}  // namespace hrvm::cli
