#include "launch/plan/plan_shares.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t most_shares = 8;

void check(const LaunchPlan& plan, std::size_t shares, const LaunchCircumstances& circumstances) {
  const auto without = fmt::format("boot without: --share-folder none, or for good hrvm set {} share=none", plan.name);
  if (shares > most_shares)
    throw Error(ErrorKind::usage,
                fmt::format("a guest has at most {} folders of the host, not {}", most_shares, shares));
  if (circumstances.virtiofsd.empty())
    throw Error(ErrorKind::not_found, "virtiofsd is not installed, by which a guest has a folder of the host")
        .hint("apt install virtiofsd, or qemu-system-common on Debian 12; or " + without);
  if (!circumstances.is_root)
    throw Error(ErrorKind::permission, "only root can share a folder with a guest: its files belong to many users")
        .hint("run hrvm as root; or " + without);
}

}  // namespace

void plan_shares(LaunchPlan& plan, const LaunchRequest& request, const LaunchCircumstances& circumstances) {
  auto shares = request.without_own_shares ? std::vector<machine::Share>() : plan.hardware.shares;
  for (const auto& share : request.shares) add_share(shares, share);
  if (shares.empty()) return;
  check(plan, shares.size(), circumstances);
  for (std::size_t number = 0; number < shares.size(); ++number) {
    const auto in_run_folder = plan.control.run_folder / fmt::format("share{}", number);
    plan.companions.shares.push_back({circumstances.virtiofsd, shares[number], in_run_folder,
                                      in_run_folder.string() + ".sock", in_run_folder.string() + ".log"});
  }
}

}  // namespace hrvm::launch
