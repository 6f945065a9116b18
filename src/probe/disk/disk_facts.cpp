#include "probe/disk/disk_facts.hpp"

#include <algorithm>
#include <iterator>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/disk/stable_path.hpp"
#include "probe/disk/udev.hpp"

namespace hrvm::probe {
namespace {

// In this order: a device's name says what sits on top, its place in sysfs what it hangs on.
struct Kind {
  std::string_view name_prefix, place, bus;
  bool ordinary = true;
};
constexpr Kind kinds[] = {
    {"loop", "", "loop", false},
    {"zram", "", "zram", false},
    {"ram", "", "ram", false},
    {"sr", "", "optical", false},
    {"fd", "", "floppy", false},
    {"md", "", "md", false},
    {"nbd", "", "nbd", false},
    {"zd", "", "zvol", false},
    {"mtdblock", "", "mtd", false},
    {"dm-", "", "dm", false},
    {"nvme", "", "nvme"},
    {"mmcblk", "", "mmc"},
    {"vd", "", "virtio"},
    {"xvd", "", "xen"},
    {"", "/usb", "usb"},
    {"", "/ata", "sata"},
    {"", "", "scsi"},
};

std::string real_place(const sys::Path& sysfs) {
  try {
    return sys::canonical(sysfs).string();
  } catch (const base::Error&) {
    return sysfs.string();
  }
}

const Kind& kind_of(const BlockNode& node) {
  const std::string place = real_place(node.sysfs);
  return *std::ranges::find_if(kinds, [&](const Kind& kind) {
    return node.name.starts_with(kind.name_prefix) && place.find(kind.place) != std::string::npos;
  });
}

std::string line(const sys::Path& path) { return std::string(base::trim(sys::try_read_line(path).value_or(""))); }

template <typename... Texts>
std::string first_known(Texts... texts) {
  std::string found;
  for (std::string text : {std::string(texts)...})
    if (found.empty()) found = std::move(text);
  return found;
}

// SCSI's vital product data page 0x80: a header of four bytes, then the serial number.
std::string unit_serial(const sys::Path& sysfs) {
  const auto page = sys::try_read_file(sysfs / "device/vpd_pg80").value_or("");
  return page.size() > 4 ? std::string(base::trim(std::string_view(page).substr(4))) : std::string();
}

// A USB device's own attributes lie somewhere above its disk.
std::string usb_attribute(const sys::Path& sysfs, const char* attribute) {
  for (sys::Path place = real_place(sysfs); place.has_relative_path(); place = place.parent_path())
    if (sys::status(place / "idVendor").type == sys::FileType::regular) return line(place / attribute);
  return {};
}

std::string serial(const BlockNode& node, const UdevRecord& udev) {
  const sys::Path& sysfs = node.sysfs;
  return first_known(line(sysfs / "device/serial"), line(sysfs / "serial"), unit_serial(sysfs),
                     udev.property("ID_SERIAL_SHORT"), usb_attribute(sysfs, "serial"));
}

// udev has all of an ATA model's 40 characters, SCSI's sysfs only the first 16.
std::string model(const BlockNode& node, const UdevRecord& udev) {
  std::string from_udev = udev.property("ID_MODEL");
  std::ranges::replace(from_udev, '_', ' ');
  return first_known(std::string(base::trim(from_udev)), line(node.sysfs / "device/model"),
                     line(node.sysfs / "device/name"));
}

// "naa.5002538e…" and "0x5002538e…" are one thing; what is neither a NAA name nor an EUI is no WWN.
std::string to_wwn(const std::string& wwid) {
  if (wwid.starts_with("naa.")) return "0x" + wwid.substr(4);
  return wwid.starts_with("eui.") || wwid.starts_with("0x") ? wwid : std::string();
}

std::string wwn(const BlockNode& node, const UdevRecord& udev) {
  return first_known(to_wwn(line(node.sysfs / "device/wwid")), to_wwn(line(node.sysfs / "wwid")),
                     to_wwn(first_known(udev.property("ID_WWN_WITH_EXTENSION"), udev.property("ID_WWN"))));
}

std::uint32_t sector_bytes(const BlockNode& node, const char* attribute) {
  const auto value = sys::try_read_number(node.sysfs / "queue" / attribute);
  return value && *value >= 512 && *value <= 65536 ? std::uint32_t(*value) : 512;
}

bool is_multipath(const BlockNode& node) { return line(node.sysfs / "dm/uuid").starts_with("mpath-"); }

bool is_path_of_multipath(const BlockNodes& nodes, const BlockNode& node) {
  return std::ranges::any_of(sys::list_directory(node.sysfs / "holders"), [&](const std::string& name) {
    const BlockNode* holder = nodes.by_name(name);
    return holder && is_multipath(*holder);
  });
}

bool is_boot_area(const BlockNode& node) {
  return node.name.starts_with("mmcblk") &&
         (node.name.find("boot") != std::string::npos || node.name.ends_with("rpmb"));
}

}  // namespace

Disk disk_facts(const sys::Host& host, const BlockNodes& nodes, const BlockNode& node) {
  const UdevRecord udev = udev_record(host, node.numbers);
  Disk disk;
  disk.path = node.path;
  disk.stable_path = stable_path(host, nodes, node, udev);
  disk.bus = kind_of(node).bus;
  disk.model = model(node, udev);
  disk.serial = serial(node, udev);
  disk.wwn = wwn(node, udev);
  disk.size_bytes = sys::try_read_number(node.sysfs / "size").value_or(0) * 512;
  disk.sectors = {sector_bytes(node, "logical_block_size"), sector_bytes(node, "physical_block_size")};
  disk.removable = sys::try_read_number(node.sysfs / "removable") == 1u;
  disk.rotational = sys::try_read_number(node.sysfs / "queue/rotational") == 1u;
  return disk;
}

bool is_ordinary_disk(const BlockNodes& nodes, const BlockNode& node) {
  if (is_multipath(node)) return true;
  const bool hidden = sys::try_read_number(node.sysfs / "hidden") == 1u;
  return kind_of(node).ordinary && !hidden && !is_boot_area(node) && !is_path_of_multipath(nodes, node);
}

}  // namespace hrvm::probe
