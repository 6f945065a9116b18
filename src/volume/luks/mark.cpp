// LUKS: the header changes with keys only, and what lies inside cannot be read. But the first blocks of the encrypted
// data hold the inner filesystem's superblock, and change when that changes. LUKS1 and LUKS2 on-disk formats, headers.
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/read_structure.hpp"
#include "volume/look_at.hpp"
#include "volume/luks/format.hpp"

namespace hrvm::volume {
namespace {

constexpr std::uint64_t most_json = 4 * base::MiB;
constexpr std::uint64_t usual_payload = 16 * base::MiB;

std::uint64_t payload_in_json(block::BlockDevice& device, const luks::Header& header) {
  const std::uint64_t end = header.header_bytes;
  if (end <= luks::binary_header_bytes || end > most_json || end > device.size()) return usual_payload;
  const auto bytes = device.read(luks::binary_header_bytes, std::size_t(end - luks::binary_header_bytes));
  std::string text;
  for (const auto byte : bytes) text += char(byte);
  try {
    const auto json = base::parse_json(base::trim(text), "LUKS header");
    const auto offset = json.at_path("segments.0.offset").text();
    return offset ? base::parse_unsigned(*offset).value_or(usual_payload) : usual_payload;
  } catch (const base::Error&) {
    return usual_payload;  // a damaged area is hashed as it is; where the data starts is only a guess then
  }
}

}  // namespace

block::Look look_at_luks(block::BlockDevice& device) {
  block::Look look{{{0, 64 * base::KiB}}, {}};
  const auto header = block::read_structure<luks::Header>(device, 0);
  if (!header) return look;
  const std::uint64_t payload = header->version == 1 ? std::uint64_t(header->payload_sector) * luks::sector_bytes
                                                     : payload_in_json(device, *header);
  look.regions.push_back({payload, 128 * base::KiB});
  return look;
}

}  // namespace hrvm::volume
