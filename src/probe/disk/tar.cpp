#include "probe/disk/tar.hpp"

#include <span>
#include <string_view>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/read_structure.hpp"
#include "hrvm/fs/tar_format.hpp"

namespace hrvm::probe {
namespace {

using fs::TarHeader;

constexpr unsigned most_members = 256;

template <std::size_t length>
std::string_view text_of(const std::array<char, length>& field) {
  const std::string_view text(field.data(), length);
  return text.substr(0, text.find('\0'));
}

bool is_sound(const TarHeader& header) {
  if (text_of(header.magic) != "ustar") return false;
  const auto told = base::parse_unsigned(base::trim(text_of(header.checksum)), 8);
  auto blanked = header;
  blanked.checksum.fill(' ');
  std::uint64_t sum = 0;
  for (const std::byte byte : std::as_bytes(std::span(&blanked, 1))) sum += std::uint64_t(byte);
  return told == sum;
}

std::optional<std::uint64_t> size_of(const TarHeader& header) {
  constexpr std::byte is_binary{0x80};
  const auto bytes = std::as_bytes(std::span(header.size));
  if ((bytes[0] & is_binary) == std::byte{}) return base::parse_unsigned(base::trim(text_of(header.size)), 8);
  return base::load<base::be64>(bytes, header.size.size() - sizeof(base::be64));
}

bool is_file(const TarHeader& header) { return header.type == '0' || header.type == '\0'; }

}  // namespace

std::optional<std::vector<std::string>> list_tar(block::BlockDevice& file) {
  std::optional<std::vector<std::string>> names;
  std::uint64_t at = 0;
  for (unsigned member = 0; member < most_members; ++member) {
    const auto header = block::read_structure<TarHeader>(file, at);
    if (!header || !is_sound(*header)) break;
    if (!names) names.emplace();
    if (is_file(*header)) names->emplace_back(text_of(header->name));
    const auto size = size_of(*header);
    at += sizeof(TarHeader);
    if (!size || *size > file.size() - at) break;
    at += base::round_up(*size, sizeof(TarHeader));
  }
  return names;
}

}  // namespace hrvm::probe
