// import: from a survey and a request to a machine in the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/advice.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/settings.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::machine {

// Everything is optional: what is not asked for is taken from the advice.
struct ImportRequest {
  std::optional<std::string> name;
  HardwareRequest hardware;
  std::vector<std::string> disks;        // that the guest can only read: absolute paths
  std::vector<std::uint64_t> new_disks;  // that begin empty: their sizes
  std::optional<Disc> iso;
  std::string description;
  bool classic = false;
  bool direct = false;  // of a folder: the guest writes to it
  bool allow_in_use = false, allow_volatile = false, allow_low_space = false, allow_partial = false;
  bool force_architecture = false;
};

struct ImportPlan {
  std::string name;
  Change change;                        // without fingerprint and hash, which are read when it is applied
  std::vector<base::Finding> findings;  // warnings for the person
};

struct ImportCircumstances {
  // Of its disks. The first, which boots, tells also of what they bear together; each other of itself alone.
  std::vector<probe::Survey> surveys;
  StorageState storage;
  HostResources host;
  std::vector<std::string> taken_names;
  Drawn drawn;
  base::Guid uuid;
  std::string mac;
};

// Why a disk is no base, whatever is allowed: image_obstacle, too small for a disk (Error{corrupt}), an image of no
// whole number of sectors or a file that is no disk at all (Error{refused}). nullopt for folders.
std::optional<base::Error> import_obstacle(const probe::Disk& disk, const probe::Contents& contents);

// What is made for other processors than a machine has: Error{refused}, which --force-architecture overrides. nullopt
// for what is not.
std::optional<base::Error> architecture_obstacle(const probe::Disk& disk, const probe::Contents& contents);

// Pure. Error{refused} for what is made for other processors, a disk in use, a part of a set (with what is missing),
// volatile storage, low space (each names its override), and for a store on an imported disk (no override);
// Error{exists} for a name that was asked for and is taken; Error{usage} for a bad name.
ImportPlan plan_import(const ImportCircumstances& circumstances, const ImportRequest& request);

// Creates the machine: folder, layer, definition, `current`.
Machine apply_import(const Store& store, const ImportPlan& plan);

}  // namespace hrvm::machine
