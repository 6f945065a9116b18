#include "hrvm/image/vmdk_descriptor.hpp"

#include "hrvm/base/text.hpp"

namespace hrvm::image {
namespace {

constexpr std::size_t most_extents = 1024;

// RW 4192256 FLAT "disk-flat.vmdk" 0
std::optional<VmdkExtent> read_extent(std::string_view line) {
  const auto open = line.find('"');
  if (open == line.npos) return std::nullopt;
  const auto close = line.find('"', open + 1);
  if (close == line.npos) return std::nullopt;
  const auto words = base::split(base::trim(line.substr(0, open)), ' ');
  if (words.size() != 3 || (words[0] != "RW" && words[0] != "RDONLY" && words[0] != "NOACCESS")) return std::nullopt;
  const auto offset = base::parse_unsigned(base::trim(line.substr(close + 1)));
  return VmdkExtent{std::string(words[2]), std::string(line.substr(open + 1, close - open - 1)),
                    base::parse_unsigned(words[1]).value_or(0), offset.value_or(0)};
}

// `name` of `name = "value"`; nullopt where the line says something else.
std::optional<std::string> value_of(std::string_view line, std::string_view name) {
  const auto equals = line.find('=');
  if (equals == line.npos || base::trim(line.substr(0, equals)) != name) return std::nullopt;
  auto value = base::trim(line.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  return std::string(value);
}

}  // namespace

std::optional<VmdkDescriptor> read_vmdk_descriptor(std::string_view text) {
  if (!base::starts_with_ignoring_case(text, vmdk_descriptor_begin)) return std::nullopt;
  VmdkDescriptor descriptor;
  for (const auto line : base::lines(text.substr(0, longest_vmdk_descriptor))) {
    if (auto extent = read_extent(line); extent && descriptor.extents.size() < most_extents)
      descriptor.extents.push_back(std::move(*extent));
    if (auto type = value_of(line, "createType")) descriptor.type = std::move(*type);
    if (const auto parent = value_of(line, "parentCID")) descriptor.has_parent = base::lower(*parent) != "ffffffff";
    if (auto parent = value_of(line, "parentFileNameHint")) descriptor.parent = std::move(*parent);
  }
  return descriptor;
}

}  // namespace hrvm::image
