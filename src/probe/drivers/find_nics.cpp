#include "probe/drivers/find_nics.hpp"

#include <span>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace hrvm::probe {
namespace {

constexpr Driver virtio_drivers[] = {{"virtio_net", "net/virtio_net", "CONFIG_VIRTIO_NET"},
                                     {"virtio_pci", "virtio/virtio_pci", "CONFIG_VIRTIO_PCI"}};
constexpr Driver e1000e_drivers[] = {{"e1000e", "net/ethernet/intel/e1000e/e1000e", "CONFIG_E1000E"}};
constexpr Driver e1000_drivers[] = {{"e1000", "net/ethernet/intel/e1000/e1000", "CONFIG_E1000"}};
// QEMU's is a C+, which 8139too leaves alone.
constexpr Driver rtl8139_drivers[] = {{"8139cp", "net/ethernet/realtek/8139cp", "CONFIG_8139CP"}};

struct Card {
  Nic model;
  std::span<const Driver> drivers;  // all of them
};
// What is fast and costs the host little comes first.
constexpr Card cards[] = {{Nic::virtio, virtio_drivers},
                          {Nic::e1000e, e1000e_drivers},
                          {Nic::e1000, e1000_drivers},
                          {Nic::rtl8139, rtl8139_drivers}};

struct Answer {
  Verdict verdict;
  std::string because;
};

class Judge {
 public:
  Judge(const KernelBuild& build, const std::string& version)
      : build_(build), version_(version), has_modules_(build.has_modules()) {}

  // The first that is not surely there decides; of those that are, the first says how.
  Answer judge(std::span<const Driver> drivers) const {
    Answer first = judge(drivers.front());
    for (const Driver& driver : drivers.subspan(1))
      if (Answer answer = judge(driver); first.verdict == Verdict::yes && answer.verdict != Verdict::yes)
        first = std::move(answer);
    return first;
  }

 private:
  Answer judge(const Driver& driver) const {
    const auto how = build_.how(driver);
    if (how == BuiltAs::builtin)
      return {Verdict::yes, fmt::format("{} is built into the kernel ({})", driver.module, build_.source(driver))};
    if (how == BuiltAs::absent) return {Verdict::no, fmt::format("the kernel {} has no {}", version_, driver.module)};
    if (has_modules_ && build_.has_module(driver))
      return {Verdict::yes, fmt::format("{} is among the modules of the kernel {}", driver.module, version_)};
    if (has_modules_)
      return {Verdict::no, fmt::format("{} is not among the modules of the kernel {}", driver.module, version_)};
    if (how == BuiltAs::module && build_.source(driver) != "modules.builtin")
      return {Verdict::yes, fmt::format("{} is a module ({})", driver.module, build_.source(driver))};
    return {Verdict::unknown, fmt::format("the modules of the kernel {} cannot be looked at", version_)};
  }

  const KernelBuild& build_;
  const std::string& version_;
  bool has_modules_;
};

}  // namespace

std::vector<NicEvidence> find_nics(const KernelBuild& build, const std::string& version) {
  std::vector<NicEvidence> nics;
  if (version.empty()) return nics;
  const Judge judge(build, version);
  for (const Card& card : cards) {
    Answer answer = judge.judge(card.drivers);
    nics.push_back({card.model, answer.verdict, std::move(answer.because)});
    if (answer.verdict == Verdict::yes) break;
  }
  return nics;
}

}  // namespace hrvm::probe
