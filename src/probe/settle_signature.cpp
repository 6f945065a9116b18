#include "probe/settle_signature.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "probe/signature/own_structures.hpp"
#include "probe/spread_btrfs.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view zfs_type = "zfs_member";

bool has_label(block::BlockDevice& device) { return !volume::assemble_zfs({{&device, device.name()}}).sets.empty(); }

// Those that begin the device: the other two are what a later filesystem leaves. A label is known by its place alone.
bool has_front_label(block::BlockDevice& device) {
  if (device.size() < base::MiB) return false;
  return has_label(*block::slice(device, 0, base::MiB, device.name()));
}

class Settling {
 public:
  explicit Settling(block::BlockDevice& device) : device_(device) {}

  SettledSignature run() {
    auto read = read_signatures(device_);
    if (read.contested.empty()) return {std::move(read.agreed), {}, true, nullptr};
    contested_ = std::move(read.contested);
    const auto zfs = std::ranges::find(contested_, zfs_type, [](const auto& each) { return each.signature.type; });
    if (!read.agreed && zfs != contested_.end() && has_front_label(device_))
      return winner(std::size_t(zfs - contested_.begin()));
    for (std::size_t i = 0; i < contested_.size(); ++i)
      if (auto files = opened(i)) return winner(i, std::move(*files));
    if (read.agreed) return {std::move(read.agreed), {}, true, nullptr};
    if (zfs != contested_.end() && has_label(device_)) return winner(std::size_t(zfs - contested_.begin()));
    auto settled = winner(0);
    settled.holds = false;
    return settled;
  }

 private:
  using Files = std::unique_ptr<fs::FileSystem>;

  // A mirror's metadata lie behind the filesystem that it bears.
  bool covers_others(std::size_t which, std::uint64_t bytes) const {
    for (std::size_t i = 0; i < contested_.size(); ++i)
      if (i != which && contested_[i].offset >= bytes) return false;
    return true;
  }

  // Null files where it holds, and lies on several devices.
  std::optional<Files> opened(std::size_t which) try {
    const auto& signature = contested_[which].signature;
    const auto bytes = told_size(signature.type, device_);
    if (!bytes || *bytes > device_.size() || !covers_others(which, *bytes)) return std::nullopt;
    if (is_spread(signature, device_)) return Files();
    auto files = fs::open_file_system(signature.type, device_);
    if (!files) return std::nullopt;
    files->list("/");
    return files;
  } catch (const base::Error&) {
    return std::nullopt;  // its structures do not hold
  }

  SettledSignature winner(std::size_t which, Files files = {}) {
    SettledSignature settled{std::move(contested_[which].signature), {}, true, std::move(files)};
    contested_.erase(contested_.begin() + std::ptrdiff_t(which));
    settled.others = std::move(contested_);
    return settled;
  }

  block::BlockDevice& device_;
  std::vector<FoundSignature> contested_;
};

std::string marks(const std::vector<FoundSignature>& found) {
  std::vector<std::string> texts;
  for (const auto& [signature, offset] : found) texts.push_back(fmt::format("{} at byte {}", signature.type, offset));
  return base::join(texts, ", ");
}

}  // namespace

SettledSignature settle_signature(block::BlockDevice& device) { return Settling(device).run(); }

std::optional<base::Finding> second_signature(const SettledSignature& settled, const std::string& subject) {
  if (settled.others.empty()) return std::nullopt;
  const auto& type = settled.signature->type;
  const auto others = marks(settled.others);
  if (!settled.holds)
    return base::Finding{
        "second-signature", base::Severity::warning, subject,
        fmt::format("it bears the mark of {}, and of {} as well, and the structures of neither hold", type, others),
        "what lies in it is not known; blkid -p and wipefs list the marks without writing"};
  const auto way = type == zfs_type ? std::string("zpool import looks for its own labels alone")
                                    : fmt::format("mount -t {} takes it for what it is", type);
  return base::Finding{
      "second-signature", base::Severity::warning, subject,
      fmt::format("it is {} by its own structures, and a second mark lies in it: {}. mount may refuse it, and a start "
                  "by its UUID may not find it",
                  type, others),
      way +
          "; the mark may be a file's content: look before it is wiped, and wipe it in a machine, whose layer that "
          "goes to"};
}

}  // namespace hrvm::probe
