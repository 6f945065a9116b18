#include "hrvm/probe/signature.hpp"

#include <blkid/blkid.h>

#include <array>
#include <cerrno>
#include <memory>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/signature/bcachefs.hpp"
#include "probe/signature/bitlocker.hpp"
#include "probe/signature/signature_view.hpp"

namespace hrvm::probe {
namespace {

struct FreeProbe {
  void operator()(blkid_probe probe) const { blkid_free_probe(probe); }
};
using Probe = std::unique_ptr<std::remove_pointer_t<blkid_probe>, FreeProbe>;

// Both would have most of a MiB read to find nothing.
void leave_out(const Probe& probe, const SignatureView& view) {
  std::array<char, 11> zfs{"zfs_member"};
  std::array<char, 17> xfs_log{"xfs_external_log"};
  std::array<char*, 3> names{};
  std::size_t count = 0;
  if (!view.may_be_zfs) names[count++] = zfs.data();
  if (!view.may_be_xfs_log) names[count++] = xfs_log.data();
  if (count != 0) blkid_probe_filter_superblocks_type(probe.get(), BLKID_FLTR_NOTIN, names.data());
}

Probe make_probe(const SignatureView& view, const block::BlockDevice& device) {
  Probe probe(blkid_new_probe());
  if (!probe || blkid_probe_set_device(probe.get(), view.fd, off_t(view.offset), off_t(device.size())) != 0)
    throw base::system_error(errno, "examine", device.name());
  blkid_probe_set_sectorsize(probe.get(), device.sector_sizes().logical_bytes);
  blkid_probe_enable_partitions(probe.get(), 0);
  blkid_probe_enable_superblocks(probe.get(), 1);
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_LABEL |
                                                     BLKID_SUBLKS_UUID | BLKID_SUBLKS_VERSION | BLKID_SUBLKS_MAGIC);
  leave_out(probe, view);
  return probe;
}

std::string value(const Probe& probe, const char* name) {
  const char* data = nullptr;
  std::size_t length = 0;
  if (blkid_probe_lookup_value(probe.get(), name, &data, &length) != 0 || length == 0) return {};
  return {data, length - (data[length - 1] == '\0' ? 1 : 0)};
}

// libblkid knows it by its header alone, which is the same on all volumes.
void complete_bitlocker(block::BlockDevice& device, Signature& signature) {
  const auto volume = read_bitlocker(device);
  if (!volume) return;
  signature.uuid = volume->uuid;
  signature.version = volume->version;
}

Signature signature_of(const Probe& probe) {
  return {value(probe, "TYPE"), value(probe, "USAGE"), value(probe, "LABEL"), value(probe, "UUID"),
          value(probe, "VERSION")};
}

std::uint64_t offset_of(const Probe& probe) { return base::parse_unsigned(value(probe, "SBMAGIC_OFFSET")).value_or(0); }

constexpr int found = 0, nothing = 1, ambivalent = -2;

std::vector<FoundSignature> list(const Probe& probe) {
  constexpr std::size_t most = 16;
  std::vector<FoundSignature> all;
  blkid_reset_probe(probe.get());
  while (all.size() < most && blkid_do_probe(probe.get()) == found)
    if (auto signature = signature_of(probe); !signature.type.empty())
      all.push_back({std::move(signature), offset_of(probe)});
  return all;
}

}  // namespace

Signatures read_signatures(block::BlockDevice& device) {
  Signatures read;
  if (device.size() == 0) return read;
  const SignatureView view = view_for_libblkid(device);
  const Probe probe = make_probe(view, device);
  const int answer = blkid_do_safeprobe(probe.get());
  if (answer == ambivalent) read.contested = list(probe);
  if (answer != found) {
    if (answer == nothing) read.agreed = read_bcachefs(device);
    return read;
  }
  Signature signature = signature_of(probe);
  if (signature.type.empty()) return read;
  if (signature.type == "BitLocker") complete_bitlocker(device, signature);
  if (signature.usage == "raid" && offset_of(probe) >= device.size() / 2) read.contested = list(probe);
  if (read.contested.size() < 2) read.contested.clear();
  read.agreed = std::move(signature);
  return read;
}

std::optional<Signature> read_signature(block::BlockDevice& device) { return read_signatures(device).agreed; }

}  // namespace hrvm::probe
