// A header of tar, as IEEE Std 1003.1 has it (pax, "ustar Interchange Format"). Numbers are octal digits and a NUL or
// blank.
#pragma once

#include <array>
#include <cstddef>

namespace hrvm::fs {

struct TarHeader {
  std::array<char, 100> name{};
  std::array<char, 8> mode{}, user{}, group{};  // their numbers
  std::array<char, 12> size{};                  // bytes; of GNU's also, with its highest bit set, a big-endian number
  std::array<char, 12> modified{};              // seconds since 1970
  std::array<char, 8> checksum{};               // the sum of all bytes, with blanks in place of these
  char type = '0';                              // '0' or NUL: a file
  std::array<char, 100> link{};
  std::array<char, 5> magic{'u', 's', 't', 'a', 'r'};
  char magic_end = '\0';
  std::array<char, 2> version{'0', '0'};
  std::array<char, 32> user_name{}, group_name{};
  std::array<char, 8> device_major{}, device_minor{};
  std::array<char, 155> prefix{};
  std::array<char, 12> unused{};
};
static_assert(sizeof(TarHeader) == 512 && offsetof(TarHeader, magic) == 257 && offsetof(TarHeader, prefix) == 345);

}  // namespace hrvm::fs
