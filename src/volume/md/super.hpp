// What a member of an md array says of itself and of the array, whatever the version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/guid.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::volume::md {

struct Super {
  std::string version;  // "0.90", "1.2"
  base::Guid array;
  std::string name;  // without the host; empty where it has none
  std::int32_t level = 0;
  std::uint32_t layout = 0;       // 0: not given
  std::uint64_t chunk_bytes = 0;  // 0: of no meaning
  std::uint32_t members = 0;      // with a role, of the whole array
  std::uint64_t used_bytes = 0;   // of each member, in arrays whose members hold the same
  std::uint64_t data_offset = 0, data_bytes = 0;
  std::uint64_t events = 0;                         // grows with each change of the array
  std::uint32_t number = 0;                         // of this member, by which others know it
  std::vector<std::optional<std::uint32_t>> roles;  // by number; none for what is spare or failed
  bool is_whole = true;                             // its data are in sync
  bool is_reshaping = false;

  std::optional<std::uint32_t> role_of(std::uint32_t member_number) const {
    return member_number < roles.size() ? roles[member_number] : std::nullopt;
  }
};

// nullopt where there is none. Error{corrupt} where one is damaged, or says of the device what cannot be.
std::optional<Super> read_super(block::BlockDevice& device);

}  // namespace hrvm::volume::md
