// What of a Linux system will bite in a machine though it is right on its own computer: each a Finding with its remedy.
#pragma once

#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/initramfs/initramfs.hpp"

namespace hrvm::probe {

struct HazardContext {
  fs::FileSystem* root = nullptr;  // null where it cannot be looked into
  const System& system;            // with `boot` and `drivers`
  const Contents& contents;
  const Initramfs& initramfs;
  std::string rescue_entry;  // title of one that loads drivers for every machine; empty where there is none
};
using Findings = std::vector<base::Finding>;

// Every check of the table in hazards.cpp.
void add_hazards(const HazardContext& context, Findings& findings);

// The checks. Those of files are called with a root.
void check_root_name(const HazardContext& context, Findings& findings);
void check_resume(const HazardContext& context, Findings& findings);
void check_mounts(const HazardContext& context, Findings& findings);
void check_keys(const HazardContext& context, Findings& findings);
void check_network(const HazardContext& context, Findings& findings);
void check_cluster(const HazardContext& context, Findings& findings);
void check_waits(const HazardContext& context, Findings& findings);
void check_lvm_devices(const HazardContext& context, Findings& findings);
void check_console(const HazardContext& context, Findings& findings);
void check_drivers(const HazardContext& context, Findings& findings);

}  // namespace hrvm::probe
