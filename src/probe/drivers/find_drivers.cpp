#include "probe/drivers/find_drivers.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/drivers/find_nics.hpp"
#include "probe/drivers/initramfs_policy.hpp"
#include "probe/drivers/kernel_build.hpp"

namespace hrvm::probe {
namespace {

constexpr std::uint64_t most_unpacked = 1 << 30;

constexpr Driver virtio_blk{"virtio_blk", "block/virtio_blk", "CONFIG_VIRTIO_BLK"},
    virtio_pci{"virtio_pci", "virtio/virtio_pci", "CONFIG_VIRTIO_PCI"},
    virtio_scsi{"virtio_scsi", "scsi/virtio_scsi", "CONFIG_SCSI_VIRTIO"},
    sd_mod{"sd_mod", "scsi/sd_mod", "CONFIG_BLK_DEV_SD"}, ahci{"ahci", "ata/ahci", "CONFIG_SATA_AHCI"},
    nvme{"nvme", "nvme/host/nvme", "CONFIG_BLK_DEV_NVME"}, ata_piix{"ata_piix", "ata/ata_piix", "CONFIG_ATA_PIIX"};

// What a bus is known by comes first, then what it cannot do without.
constexpr Driver virtio_drivers[] = {virtio_blk, virtio_pci}, scsi_drivers[] = {virtio_scsi, virtio_pci, sd_mod},
                 sata_drivers[] = {ahci, sd_mod}, nvme_drivers[] = {nvme}, ide_drivers[] = {ata_piix, sd_mod};

struct BusDrivers {
  Bus bus;
  std::span<const Driver> drivers;
};
constexpr BusDrivers buses[] = {
    {Bus::virtio, virtio_drivers}, {Bus::scsi, scsi_drivers}, {Bus::sata, sata_drivers},
    {Bus::nvme, nvme_drivers},     {Bus::ide, ide_drivers},
};

constexpr std::uint64_t beginning_bytes = 256 << 10;  // unpacked

struct Answer {
  Verdict verdict;
  std::string because;
};

class Search {
 public:
  Search(const KernelAndInitramfs& kernel, Unpacking unpacking)
      : kernel_(kernel),
        unpacking_(unpacking),
        quick_(unpacking != Unpacking::full),
        build_(kernel.root, kernel.boot, kernel.version) {}

  DriverSearch run() && {
    look_up();
    if (!quick_) unpack();
    if (unpacking_ == Unpacking::beginning) look_at_beginning();
    if (quick_ || !unpacked_.incomplete.empty() || is_unnamed()) read_policy();
    for (const BusDrivers& bus : buses) {
      Answer answer = judge(bus.drivers);
      found_.buses.push_back({bus.bus, answer.verdict, std::move(answer.because)});
    }
    found_.nics = find_nics(build_, kernel_.version);
    found_.initramfs = std::move(unpacked_);
    return std::move(found_);
  }

 private:
  std::set<std::string> wanted() const {
    std::set<std::string> modules;
    for (const auto& [module, how] : built_)
      if (how == BuiltAs::module || how == BuiltAs::unknown) modules.emplace(module);
    return modules;
  }

  void look_up() {
    for (const BusDrivers& bus : buses)
      for (const Driver& driver : bus.drivers)
        if (!built_.contains(driver.module)) built_.emplace(driver.module, build_.how(driver));
  }

  void unpack() {
    auto modules = wanted();
    // Where all is built in, what its files say of the start is looked for alone.
    const bool wants_modules = !modules.empty();
    for (const std::string& path : kernel_.initramfs) {
      if (kernel_.boot == nullptr || (wants_modules && modules.empty())) break;
      try {
        take(read_initramfs(*kernel_.boot, path, modules, most_unpacked, kernel_.profile), path);
      } catch (const base::Error& error) {
        unpacked_.incomplete = error.message();
      }
      std::erase_if(modules, [this](const std::string& module) { return unpacked_.has(module); });
    }
  }

  void look_at_beginning() {
    if (kernel_.boot == nullptr) return;
    for (const std::string& path : kernel_.initramfs) try {
        unpacked_.configuration.merge(read_initramfs(*kernel_.boot, path, {}, beginning_bytes).configuration);
      } catch (const base::Error&) {
        // What is wrong with it is told where it is read to its end.
      }
  }

  void take(Initramfs read, const std::string& path) {
    for (auto& [name, text] : read.configuration)
      if (name.ends_with("/modules.builtin")) add_modules_builtin(text);
    if (!read.incomplete.empty()) unpacked_.incomplete = fmt::format("{}: {}", shown(path), read.incomplete);
    if (unpacked_.kernel.empty()) unpacked_.kernel = read.kernel;
    for (const std::string& module : read.modules) where_.insert_or_assign(module, shown(path));
    unpacked_.modules.merge(read.modules);
    unpacked_.configuration.merge(read.configuration);
  }

  void add_modules_builtin(const std::string& text) {
    build_.add_modules_builtin(text);
    built_.clear();
    look_up();
  }

  void read_policy() try {
    if (kernel_.root != nullptr) policy_ = read_initramfs_policy(*kernel_.root);
  } catch (const base::Error&) {
    policy_ = {};
  }

  std::string shown(const std::string& path) const { return kernel_.boot_prefix + path; }

  // All have to be there: the first that is not, or may not be, decides.
  Answer judge(std::span<const Driver> drivers) const {
    std::optional<Answer> unsure;
    for (const Driver& driver : drivers) {
      Answer answer = judge(driver);
      if (answer.verdict == Verdict::no) return answer;
      if (answer.verdict == Verdict::unknown && !unsure) unsure = std::move(answer);
    }
    return unsure ? *unsure : judge(drivers.front());
  }

  Answer judge(const Driver& driver) const {
    const auto how = built_.at(driver.module);
    if (how == BuiltAs::builtin)
      return {Verdict::yes, fmt::format("{} is built into the kernel ({})", driver.module, build_.source(driver))};
    if (how == BuiltAs::absent)
      return {Verdict::no, fmt::format("the kernel {} has no {}", kernel_.version, driver.module)};
    if (const auto found = where_.find(std::string(driver.module)); found != where_.end())
      return {Verdict::yes, fmt::format("{} is in {}", driver.module, found->second)};
    if (kernel_.initramfs.empty() && !is_unnamed()) return without_initramfs(driver, how);
    if (quick_ || is_unnamed() || !unpacked_.incomplete.empty()) return judge_by_policy(driver, how);
    if (how == BuiltAs::unknown)
      return {Verdict::unknown,
              fmt::format("{} is not in {}, and how the kernel was built is not known", driver.module, names())};
    return {Verdict::no, fmt::format("{} is neither in {} nor built into the kernel", driver.module, names())};
  }

  // No menu says what is loaded.
  bool is_unnamed() const { return kernel_.initramfs.empty() && kernel_.boot == nullptr; }

  Answer without_initramfs(const Driver& driver, BuiltAs how) const {
    if (how == BuiltAs::unknown) return {Verdict::unknown, "how the kernel was built is not known"};
    return {Verdict::no, fmt::format("{} is a module, and the kernel is started without an initramfs", driver.module)};
  }

  Answer judge_by_policy(const Driver& driver, BuiltAs how) const {
    if (policy_.modules.contains(std::string(driver.module)))
      return {Verdict::yes, fmt::format("{} is put into every initramfs{}{}", driver.module,
                                        policy_.because.empty() ? "" : ": ", policy_.because)};
    if (policy_.scope == InitramfsScope::every_bus && how == BuiltAs::module)
      return {Verdict::yes, fmt::format("{} is a module, and {}", driver.module, policy_.because)};
    if (!unpacked_.incomplete.empty()) return {Verdict::unknown, unpacked_.incomplete};
    if (policy_.scope == InitramfsScope::this_hardware)
      return {Verdict::unknown, fmt::format("{} may be missing in the initramfs: {}", driver.module, policy_.because)};
    return {Verdict::unknown, fmt::format("whether {} is in the initramfs was not looked at", driver.module)};
  }

  std::string names() const {
    std::vector<std::string> all;
    for (const std::string& path : kernel_.initramfs) all.push_back(shown(path));
    return base::join(all, ", ");
  }

  const KernelAndInitramfs& kernel_;
  Unpacking unpacking_;
  bool quick_;
  KernelBuild build_;
  std::map<std::string_view, BuiltAs> built_;
  Initramfs unpacked_;
  InitramfsPolicy policy_;
  std::map<std::string, std::string> where_;  // module, initramfs
  DriverSearch found_;
};

}  // namespace

DriverSearch find_drivers(const KernelAndInitramfs& kernel, Unpacking unpacking) {
  return Search(kernel, unpacking).run();
}

}  // namespace hrvm::probe
