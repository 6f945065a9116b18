// nvlist: names with values, which may be lists themselves, packed by XDR (module/nvpair/nvpair.c of OpenZFS, RFC
// 4506).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hrvm::volume::zfs {

// What a pool's configuration has: numbers, texts, lists, arrays of numbers and of lists, and names alone. Other types
// are left out.
struct NvList {
  std::map<std::string, std::uint64_t> numbers;
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<std::uint64_t>> number_arrays;
  std::map<std::string, NvList> lists;
  std::map<std::string, std::vector<NvList>> arrays;
  std::vector<std::string> names;  // values of the type "boolean": being there is all they say

  std::optional<std::uint64_t> number(const std::string& name) const;
  std::string text(const std::string& name) const;  // empty where it is not there
};

// Error{corrupt} where a length leaves `packed`, for lists more than 16 deep, and for more than 65536 pairs.
NvList parse_nvlist(std::span<const std::byte> packed);

}  // namespace hrvm::volume::zfs
