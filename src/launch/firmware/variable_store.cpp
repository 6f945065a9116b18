#include "hrvm/launch/variable_store.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::le16;
using base::le32;
using base::le64;
using GuidBytes = std::array<std::byte, 16>;

// EFI_FIRMWARE_VOLUME_HEADER, without its block map.
struct VolumeHeader {
  std::array<std::byte, 16> zero_vector;
  GuidBytes file_system;
  le64 length;
  le32 signature;
  le32 attributes;
  le16 header_length;
  le16 checksum;
  le16 extended_header_offset;
  std::uint8_t reserved;
  std::uint8_t revision;
};
static_assert(sizeof(VolumeHeader) == 56);

// VARIABLE_STORE_HEADER
struct StoreHeader {
  GuidBytes signature;
  le32 size;
  std::uint8_t format;
  std::uint8_t state;
  le16 reserved;
  le32 reserved1;
};
static_assert(sizeof(StoreHeader) == 28);

// AUTHENTICATED_VARIABLE_HEADER; the name in UTF-16 with its NUL, and the data, follow without padding.
struct VariableHeader {
  le16 start_id;
  std::uint8_t state;
  std::uint8_t reserved;
  le32 attributes;
  le64 monotonic_count;
  std::array<std::byte, 16> time_stamp;
  le32 public_key_index;
  le32 name_bytes;
  le32 data_bytes;
  GuidBytes vendor;
};
static_assert(sizeof(VariableHeader) == 60);

constexpr std::uint32_t volume_signature = 0x4856465f;  // "_FVH"
constexpr std::string_view authenticated_store = "aaf32c78-947b-439a-a180-2e144ec37792";
constexpr std::uint8_t store_formatted = 0x5a, store_healthy = 0xfe;
constexpr std::uint16_t variable_start = 0x55aa;
// A state is reached by clearing bits, as flash allows.
constexpr std::uint8_t state_added = 0x3f, state_being_replaced = 0x3e, deleted_mask = 0xfd;
constexpr char erased = '\xff';
constexpr std::size_t alignment = 4;

std::size_t align(std::size_t at) { return (at + alignment - 1) / alignment * alignment; }

std::size_t stored_bytes(const VariableHeader& header) {
  return sizeof header + std::size_t(header.name_bytes) + std::size_t(header.data_bytes);
}

base::Guid guid_of(const GuidBytes& bytes) { return base::Guid::from_mixed_endian(bytes); }

VariableHeader header_of(const Variable& variable, std::size_t name_bytes) {
  VariableHeader header{};
  header.start_id = variable_start;
  header.state = state_added;
  header.attributes = variable.attributes;
  header.name_bytes = std::uint32_t(name_bytes);
  header.data_bytes = std::uint32_t(variable.data.size());
  header.vendor = variable.vendor.to_mixed_endian();
  return header;
}

}  // namespace

base::Guid global_variable() { return base::Guid::parse("8be4df61-93ca-11d2-aa0d-00e098032b8c").value(); }

VariableStore::VariableStore(std::string bytes, std::string file) : bytes_(std::move(bytes)), file_(std::move(file)) {
  find_store();
  read_variables();
}

std::span<std::byte> VariableStore::flash() { return std::as_writable_bytes(std::span(bytes_)); }

void VariableStore::find_store() {
  const auto unknown = [&](std::string_view why) {
    return Error(ErrorKind::unsupported,
                 fmt::format("these UEFI variables are of a kind that hrvm does not read: {}", why))
        .on(file_);
  };
  if (bytes_.size() < sizeof(VolumeHeader)) throw unknown("there is no firmware volume");
  const auto volume = base::load<VolumeHeader>(flash());
  if (volume.signature != volume_signature) throw unknown("there is no firmware volume");
  const std::size_t at = volume.header_length;
  if (at > bytes_.size() || bytes_.size() - at < sizeof(StoreHeader)) throw unknown("there is no store in the volume");
  const auto store = base::load<StoreHeader>(flash(), at);
  if (guid_of(store.signature).text() != authenticated_store)
    throw unknown("the store holds no authenticated variables");
  if (store.format != store_formatted || store.state != store_healthy)
    throw Error(ErrorKind::corrupt, fmt::format("the store of variables at {:#x} is not healthy", at)).on(file_);
  if (store.size < sizeof store || store.size > bytes_.size() - at)
    throw Error(ErrorKind::corrupt, fmt::format("the store of variables at {:#x} goes behind the end", at)).on(file_);
  first_ = align(at + sizeof store);
  end_ = at + store.size;
}

void VariableStore::read_variables() {
  free_ = std::min(first_, end_);
  while (free_ <= end_ && end_ - free_ >= sizeof(VariableHeader)) {
    const auto next = read_variable(free_);
    if (next == free_) break;
    free_ = std::min(next, end_);
  }
}

// Where the next one would begin; `at` itself where there is none.
std::size_t VariableStore::read_variable(std::size_t at) {
  const auto header = base::load<VariableHeader>(flash(), at);
  if (header.start_id != variable_start) return at;
  if (stored_bytes(header) > end_ - at)
    throw Error(ErrorKind::corrupt, fmt::format("the variable at {:#x} goes behind the end of the store", at))
        .on(file_);
  if (header.state == state_added || header.state == state_being_replaced) {
    const auto name = bytes_.substr(at + sizeof header, header.name_bytes);
    const auto data = flash().subspan(at + sizeof header + header.name_bytes, header.data_bytes);
    keep({guid_of(header.vendor), base::from_utf16le(name), header.attributes, {data.begin(), data.end()}}, at);
  }
  return align(at + stored_bytes(header));
}

// The newer one counts, also where a replacement was interrupted.
void VariableStore::keep(Variable variable, std::size_t place) {
  const auto [found, is_new] = index_.try_emplace({variable.vendor, variable.name}, variables_.size());
  if (is_new) {
    variables_.push_back(std::move(variable));
    places_.push_back(place);
  } else {
    variables_[found->second] = std::move(variable);
    places_[found->second] = place;
  }
}

const Variable* VariableStore::find(const base::Guid& vendor, std::string_view name) const {
  const auto found = index_.find({vendor, std::string(name)});
  return found == index_.end() ? nullptr : &variables_[found->second];
}

void VariableStore::set(const Variable& variable) {
  const auto name = base::to_utf16le(variable.name) + std::string(2, '\0');
  const auto header = header_of(variable, name.size());
  const auto wanted = stored_bytes(header);
  if (wanted > free_bytes())
    throw Error(ErrorKind::unsupported, fmt::format("there is no room for the UEFI variable {}", variable.name))
        .on(file_);
  const std::string_view room = std::string_view(bytes_).substr(free_, wanted);
  if (room.find_first_not_of(erased) != room.npos)
    throw Error(ErrorKind::corrupt, fmt::format("the flash at {:#x} is not erased", free_)).on(file_);
  base::store(flash(), free_, header);
  bytes_.replace(free_ + sizeof header, name.size(), name);
  std::ranges::copy(variable.data, flash().subspan(free_ + sizeof header + name.size()).begin());
  if (const auto older = index_.find({variable.vendor, variable.name}); older != index_.end()) {
    const auto state = places_[older->second] + offsetof(VariableHeader, state);
    bytes_[state] = char(std::uint8_t(bytes_[state]) & deleted_mask);
  }
  keep(variable, free_);
  free_ = std::min(align(free_ + wanted), end_);
}

}  // namespace hrvm::launch
