#include "image/merge/backing_switch.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::image {
namespace {

using base::be32;
using base::be64;
using base::Error;
using base::ErrorKind;

constexpr std::size_t sector_bytes = 512;
constexpr std::size_t format_space = 8;  // "raw" and "qcow2" take the same padded space

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

struct Extensions {
  std::vector<std::byte> sector;  // header and extensions, as far as the first sector goes
  std::uint64_t end;              // of all extensions, the final one among them
};

std::uint64_t end_of_extensions(std::span<const std::byte> cluster, const ImageHeader& header) {
  std::uint64_t limit = header.backing_path_offset ? header.backing_path_offset : cluster.size();
  std::uint64_t offset = header.header_length;
  while (offset + sizeof(qcow2::HeaderExtension) <= limit) {
    auto extension = base::load<qcow2::HeaderExtension>(cluster, offset);
    offset += sizeof extension + base::round_up(extension.length, 8);
    if (extension.type == qcow2::extension_end) break;
  }
  return std::min<std::uint64_t>(offset, cluster.size());
}

// Only the words of the format change: all extensions stay.
std::optional<Extensions> with_format_in_place(std::span<const std::byte> cluster, const ImageHeader& header,
                                               const std::optional<BackingReference>& backing) {
  auto at = header.backing_format_offset;
  bool fits = backing && backing->format.size() <= format_space && at != 0 && at + format_space <= sector_bytes;
  if (!fits) return std::nullopt;
  auto length_at = at - sizeof(be32);
  auto old_length = base::load<be32>(cluster, length_at);
  if (old_length == 0 || old_length > format_space) return std::nullopt;
  auto first = cluster.first(std::min(sector_bytes, cluster.size()));
  Extensions result{{first.begin(), first.end()}, end_of_extensions(cluster, header)};
  result.sector.resize(sector_bytes);
  std::fill_n(result.sector.begin() + std::ptrdiff_t(at), format_space, std::byte{0});
  std::ranges::copy(as_bytes(backing->format), result.sector.begin() + std::ptrdiff_t(at));
  base::store(result.sector, length_at, be32(std::uint32_t(backing->format.size())));
  return result;
}

// The backing format is the only extension that is needed to read an image; without the others all fits into a sector.
Extensions with_format_alone(std::span<const std::byte> cluster, const ImageHeader& header,
                             const std::optional<BackingReference>& backing) {
  auto fixed = cluster.first(header.header_length);
  Extensions result{{fixed.begin(), fixed.end()}, 0};
  if (backing && !backing->format.empty()) {
    append_extension(result.sector, qcow2::extension_backing_format, backing->format);
  }
  append_extension(result.sector, qcow2::extension_end, "");
  result.end = result.sector.size();
  return result;
}

// Clear of everything that is read until the sector is written: the extensions and the old path.
std::uint64_t place_for_path(const ImageHeader& header, std::uint64_t end_of_old_extensions, std::size_t length) {
  auto old_begin = header.backing_path_offset;
  auto old_end = old_begin + (header.backing ? header.backing->path.size() : 0);
  auto place = std::max<std::uint64_t>(end_of_old_extensions, sector_bytes);
  bool overlaps = place < old_end && old_begin < place + length;
  return overlaps ? old_end : place;
}

void point_to_path(std::vector<std::byte>& sector, std::uint64_t offset, std::size_t length) {
  base::store(sector, offsetof(qcow2::Header, backing_file_offset), be64(offset));
  base::store(sector, offsetof(qcow2::Header, backing_file_size), be32(std::uint32_t(length)));
}

bool fits(const BackingSwitch& plan, const ImageHeader& header) {
  return plan.sector.size() <= sector_bytes && plan.path_offset + plan.path.size() <= header.geometry.cluster_bytes() &&
         plan.path.size() <= max_backing_path;
}

}  // namespace

BackingSwitch plan_backing_switch(std::span<const std::byte> first_cluster, const ImageHeader& header,
                                  const std::optional<BackingReference>& backing, const std::string& path) {
  auto in_place = with_format_in_place(first_cluster, header, backing);
  auto [sector, end] = in_place ? *in_place : with_format_alone(first_cluster, header, backing);
  BackingSwitch plan;
  if (!backing) {
    point_to_path(sector, 0, 0);
  } else if (auto length = backing->path.size(); end + length <= sector_bytes) {
    sector.resize(std::max<std::size_t>(sector.size(), end + length));
    std::ranges::copy(as_bytes(backing->path), sector.begin() + std::ptrdiff_t(end));
    point_to_path(sector, end, length);
  } else {
    plan.path = backing->path;
    plan.path_offset = place_for_path(header, end_of_extensions(first_cluster, header), length);
    point_to_path(sector, plan.path_offset, length);
  }
  plan.sector = std::move(sector);
  if (fits(plan, header)) return plan;
  throw Error(ErrorKind::unsupported, fmt::format("the header of {} has no room for the path {}", path, plan.path))
      .on(path)
      .hint("write the image anew with larger clusters");
}

void apply(const BackingSwitch& plan, WritableFile& out) {
  if (!plan.path.empty()) {
    out.write(plan.path_offset, as_bytes(plan.path));
    out.sync();
  }
  out.write(0, plan.sector);
  out.sync();
}

}  // namespace hrvm::image
