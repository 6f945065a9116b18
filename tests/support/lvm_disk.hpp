// Physical volumes made in memory, byte by byte, so that a test can say exactly what lies where and what is broken.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/crc32.hpp"
#include "hrvm/block/devices.hpp"
#include "volume/lvm/format.hpp"

namespace hrvm::volume::test {

using Bytes = std::vector<std::byte>;

inline constexpr std::uint64_t extent_bytes = 64 * base::KiB;  // 128 sectors
inline constexpr std::uint64_t area_offset = 4096, area_bytes = 60 * base::KiB;
inline constexpr std::uint64_t first_extent = 128;  // sectors

template <typename T>
void put(Bytes& bytes, std::uint64_t offset, const T& value) {
  base::store(std::span(bytes), offset, value);
}

inline void put_text(Bytes& bytes, std::uint64_t offset, std::string_view text) {
  std::memcpy(bytes.data() + offset, text.data(), text.size());
}

inline std::uint32_t lvm_crc(std::span<const std::byte> bytes) { return base::crc32_register(lvm::crc_start, bytes); }

inline void put_label(Bytes& device, const std::string& uuid, std::uint64_t sector = 1) {
  const auto at = sector * lvm::sector_bytes;
  lvm::LabelHeader label{};
  std::memcpy(label.id.data(), lvm::label_id.data(), 8);
  std::memcpy(label.type.data(), lvm::label_type.data(), 8);
  label.sector = sector;
  label.header_offset = sizeof label;
  put(device, at, label);
  lvm::PvHeader pv{};
  std::memcpy(pv.uuid.data(), uuid.data(), 32);
  pv.device_bytes = device.size();
  put(device, at + 32, pv);
  put(device, at + 72, lvm::DiskLocation{first_extent * 512, 0});
  put(device, at + 104, lvm::DiskLocation{area_offset, area_bytes});
  const auto crc = lvm_crc(std::span(device).subspan(at + 20, 512 - 20));
  put(device, at + offsetof(lvm::LabelHeader, crc), base::le32(crc));
}

// `text_offset` from the start of the area: near its end the text goes round it.
inline void put_metadata(Bytes& device, std::string text, std::uint64_t text_offset = 512) {
  text += '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto place = text_offset + i;
    if (place >= area_bytes) place = place - area_bytes + 512;
    device[area_offset + place] = std::byte(text[i]);
  }
  lvm::AreaHeader area{};
  std::memcpy(area.magic.data(), lvm::area_magic.data(), 16);
  area.version = 1;
  area.start = area_offset;
  area.size = area_bytes;
  put(device, area_offset, area);
  const auto bytes = std::as_bytes(std::span(text));
  put(device, area_offset + sizeof area, lvm::RawLocation{text_offset, text.size(), lvm_crc(bytes), 0u});
  put(device, area_offset, base::le32(lvm_crc(std::span(device).subspan(area_offset + 4, 508))));
}

inline std::string pv_uuid(unsigned number) { return "PV" + std::to_string(number) + std::string(29, '0'); }

// A group "vg" of so many physical volumes of 40 extents with these logical volumes.
inline std::string group_text(unsigned pvs, const std::string& logical_volumes, unsigned sequence = 3) {
  std::string text = "vg {\nid = \"VG0000-0000\"\nseqno = " + std::to_string(sequence) +
                     "\nextent_size = 128 # 64 KiB\nstatus = [\"READ\", \"WRITE\"]\nphysical_volumes {\n";
  for (unsigned i = 0; i < pvs; ++i)
    text += "pv" + std::to_string(i) + " { id = \"" + pv_uuid(i) + "\"\npe_start = " + std::to_string(first_extent) +
            "\npe_count = 40 }\n";
  return text + "}\nlogical_volumes {\n" + logical_volumes + "}\n}\ncontents = \"Text Format Volume Group\"\n";
}

inline std::string lv_text(const std::string& name, const std::vector<std::string>& segments, bool visible = true) {
  std::string text = name + " {\nid = \"x\"\nstatus = [\"READ\"" + (visible ? ", \"VISIBLE\"" : "") + "]\n";
  unsigned number = 0;
  for (const auto& segment : segments) text += "segment" + std::to_string(++number) + " {\n" + segment + "\n}\n";
  return text + "}\n";
}

inline std::string segment_text(unsigned start, unsigned count, const std::string& rest) {
  return "start_extent = " + std::to_string(start) + "\nextent_count = " + std::to_string(count) + "\n" + rest;
}

inline std::string linear(unsigned start, unsigned count, const std::string& pv, unsigned extent) {
  return segment_text(
      start, count, "type = \"striped\"\nstripe_count = 1\nstripes = [\"" + pv + "\", " + std::to_string(extent) + "]");
}

// Every 512 bytes of the data area bear the volume's number and their place, so that what is read tells where it lay.
inline Bytes pv_bytes(unsigned number) {
  Bytes device(first_extent * 512 + 40 * extent_bytes);
  for (std::uint64_t at = first_extent * 512; at < device.size(); at += 512)
    put(device, at, base::le64((std::uint64_t(number) << 32) + (at - first_extent * 512) / 512));
  put_label(device, pv_uuid(number));
  return device;
}

// What such a place bears.
inline std::uint64_t place(unsigned number, std::uint64_t extent, std::uint64_t sector = 0) {
  return (std::uint64_t(number) << 32) + extent * 128 + sector;
}

}  // namespace hrvm::volume::test
