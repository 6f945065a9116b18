// Deployments of ostree (ostree(1), "Deployments"): a root filesystem holds each as a folder, and the boot entry names
// the one that starts by a link under /ostree.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

// A system, by the deployment of it that starts by default.
struct Deployment {
  SystemRoot root;     // with /var and /sysroot, and /boot where that lies in the same tree
  std::string folder;  // "/ostree/deploy/fedora/deploy/9f….0"
  std::vector<SystemMount> mounts;
  const BootEntry* entry = nullptr;  // that leads to it
  // Of all systems there: the default first, then as the menu has them, then the newest first.
  std::vector<SystemState> states;
};

// nullopt where there are none. Where no entry leads to a deployment, the one counts that is linked for the start, else
// the newest.
std::optional<Deployment> find_deployment(const SystemTree& tree, std::span<const BootMenu> menus);

// The same for images of composefs (bootc): /state/deploy has what each keeps for itself, and the image, in which the
// rest lies, is not read.
std::optional<Deployment> find_composefs(const SystemTree& tree, std::span<const BootMenu> menus);

// The deployment to which the link of a command line's ostree= leads; empty where it leads to none.
std::string deployment_of(fs::FileSystem& tree, const std::string& link);

}  // namespace hrvm::probe
