// Unified kernel images made by hand: a PE file for x86-64 with these sections, one after the other.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "probe/boot/pe_format.hpp"

namespace hrvm::test {

using ImageSections = std::vector<std::pair<std::string, std::string>>;  // name, content

inline std::string unified_image(const ImageSections& sections) {
  constexpr std::size_t header_place = 0x80, content_place = 0x1000, alignment = 512;
  std::string image(content_place, '\0');
  const auto put = [&](std::size_t at, const auto& value) { std::memcpy(image.data() + at, &value, sizeof value); };
  image.replace(0, 2, probe::dos_magic);
  put(probe::pe_place, base::le32(header_place));
  probe::PeHeader header{};
  std::memcpy(header.magic.data(), probe::pe_magic.data(), header.magic.size());
  header.machine = probe::pe_machine_x86_64;
  header.sections = std::uint16_t(sections.size());
  header.optional_header_bytes = 240;
  put(header_place, header);
  std::size_t at = header_place + sizeof header + 240;
  for (const auto& [name, content] : sections) {
    probe::PeSection section{};
    std::memcpy(section.name.data(), name.data(), std::min(name.size(), section.name.size()));
    section.virtual_bytes = std::uint32_t(content.size());
    section.file_bytes = std::uint32_t((content.size() + alignment - 1) / alignment * alignment);
    section.file_offset = std::uint32_t(image.size());
    put(at, section);
    at += sizeof section;
    image += content;
    image.resize((image.size() + alignment - 1) / alignment * alignment);
  }
  return image;
}

}  // namespace hrvm::test
