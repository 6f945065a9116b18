// Archives of tar (POSIX.1-2001, pax; GNU's sizes beyond 8 GiB), as far as it takes to tell what lies in them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

struct TarHeader {
  std::array<char, 100> name;
  std::array<char, 8> mode, user, group;
  std::array<char, 12> size;  // octal, or with its highest bit set a big-endian number
  std::array<char, 12> time;
  std::array<char, 8> checksum;  // octal: the sum of all bytes, with blanks in place of these
  char type;                     // '0' or NUL: a file
  std::array<char, 100> link;
  std::array<char, 5> magic;  // "ustar"
  std::array<char, 250> rest;
};
static_assert(sizeof(TarHeader) == 512 && offsetof(TarHeader, magic) == 257);

// The names of the files in it, in order, those of the first 256 members; nullopt for what is no archive.
std::optional<std::vector<std::string>> list_tar(block::BlockDevice& file);

}  // namespace hrvm::probe
