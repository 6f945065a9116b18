#include "probe/boot/disk_names.hpp"

#include <algorithm>
#include <iterator>

namespace hrvm::probe {
namespace {

// hd is of the IDE drivers that Linux had until 5.13; xvd is Xen's, mmcblk of cards; the rest is of RAID controllers,
// mainframes and user-mode Linux.
constexpr Bus scsi_like[] = {Bus::sata, Bus::scsi, Bus::ide}, virtio_alone[] = {Bus::virtio},
              nvme_alone[] = {Bus::nvme}, ide_alone[] = {Bus::ide};
constexpr DiskName names[] = {
    {"sd", scsi_like, "sda"},
    {"vd", virtio_alone, "vda"},
    {"nvme", nvme_alone, "nvme0n1"},
    {"hd", ide_alone, "hda"},
    {"xvd", {}, ""},
    {"mmcblk", {}, ""},
    {"cciss/", {}, ""},
    {"ida/", {}, ""},
    {"rd/", {}, ""},
    {"i2o/", {}, ""},
    {"dasd", {}, ""},
    {"ubd", {}, ""},
};

}  // namespace

const DiskName* find_disk_name(std::string_view name) {
  const auto* found = std::ranges::find_if(names, [&](const DiskName& each) { return name.starts_with(each.prefix); });
  return found == std::end(names) ? nullptr : found;
}

bool is_of_first_disk(std::string_view name, const DiskName& kind) {
  if (kind.first.empty() || !name.starts_with(kind.first)) return false;
  const char next = name.size() > kind.first.size() ? name[kind.first.size()] : '\0';
  return kind.prefix == "nvme" ? next == '\0' || next == 'p' : next < 'a' || next > 'z';
}

}  // namespace hrvm::probe
