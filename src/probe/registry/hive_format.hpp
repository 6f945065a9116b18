// A registry hive as it lies in its file. All integers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::probe::regf {

using base::le16, base::le32, base::le64;
using Signature = std::array<char, 2>;

constexpr std::uint64_t first_bin = 4096;      // in the file; offsets of cells count from here
constexpr std::uint32_t nowhere = 0xffffffff;  // an offset of no cell

struct BaseBlock {
  std::array<char, 4> signature;  // "regf"
  le32 first_sequence, second_sequence;
  le64 written;
  le32 major, minor;
  le32 file_type, file_format;
  le32 root_cell;
  le32 bins_bytes;
  le32 clustering;
  std::array<char, 64> file_name;  // UTF-16
  std::array<std::byte, 396> unused;
  le32 checksum;  // of the 127 numbers before, by exclusive or
};
static_assert(offsetof(BaseBlock, root_cell) == 36);
static_assert(offsetof(BaseBlock, checksum) == 508);
static_assert(sizeof(BaseBlock) == 512);

constexpr std::uint16_t name_is_latin_1 = 0x20;  // of a key; else it is UTF-16

struct KeyNode {
  Signature signature;  // "nk"
  le16 flags;
  le64 written;
  le32 access, parent;
  le32 subkey_count, volatile_subkey_count;
  le32 subkey_list, volatile_subkey_list;
  le32 value_count, value_list;
  le32 security, class_name;
  std::array<le32, 5> longest;
  le16 name_length, class_length;  // bytes; the name follows
};
static_assert(offsetof(KeyNode, subkey_list) == 28);
static_assert(offsetof(KeyNode, value_list) == 40);
static_assert(sizeof(KeyNode) == 76);

constexpr std::uint16_t value_name_is_latin_1 = 1;
constexpr std::uint32_t data_is_in_offset = 0x80000000;

struct ValueNode {
  Signature signature;  // "vk"
  le16 name_length;     // bytes; the name follows
  le32 data_length, data_offset, type;
  le16 flags, spare;
};
static_assert(sizeof(ValueNode) == 20);

struct ListHeader {
  Signature signature;  // "lf", "lh" with hints, "li" without, "ri" of lists
  le16 count;
};

struct HintedChild {
  le32 key, hint;
};

struct BigData {
  Signature signature;  // "db"
  le16 segment_count;
  le32 segment_list;
};
static_assert(sizeof(BigData) == 8);
constexpr std::size_t segment_bytes = 16344;  // of data in each segment; larger values are big data since version 1.4

}  // namespace hrvm::probe::regf
