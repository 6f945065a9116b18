// SQLite's file and its write-ahead log as they lie on disk (sqlite.org/fileformat2.html, whose sections are named).
#pragma once

#include <array>
#include <cstddef>

#include "hrvm/base/endian.hpp"

namespace hrvm::probe {

using base::be16, base::be32;

// 1.3, at the beginning of page 1.
struct SqliteHeader {
  std::array<char, 16> magic;
  be16 page_bytes;  // 1 stands for 65536
  std::uint8_t write_version, read_version;
  std::uint8_t reserved_bytes;  // at the end of each page
  std::uint8_t fractions[3];
  be32 change_counter;
  be32 pages;  // right where change_counter and version_valid_for are the same
  be32 free_list, free_pages, schema_cookie, schema_format, cache_pages, largest_root;
  be32 text_encoding;
  be32 user_version, incremental_vacuum, application;
  std::uint8_t unused[20];
  be32 version_valid_for, version;
};
static_assert(sizeof(SqliteHeader) == 100 && offsetof(SqliteHeader, reserved_bytes) == 20);
static_assert(offsetof(SqliteHeader, pages) == 28 && offsetof(SqliteHeader, text_encoding) == 56);
static_assert(offsetof(SqliteHeader, version_valid_for) == 92);
inline constexpr std::string_view sqlite_magic{"SQLite format 3\0", 16};
inline constexpr std::uint32_t sqlite_utf8 = 1;

// 1.6. Behind the SqliteHeader on page 1, else at the beginning of a page; interior pages have one be32 more, the page
// that is the rightmost below.
struct BtreeHeader {
  std::uint8_t kind;
  be16 first_free, cells, content;
  std::uint8_t fragments;
};
static_assert(sizeof(BtreeHeader) == 8);
inline constexpr std::uint8_t interior_table_page = 5, leaf_table_page = 13;

// 4.1. The checksums go over big-endian words where the magic is odd, else over little-endian ones.
struct WalHeader {
  be32 magic, version, page_bytes, checkpoint;
  be32 salt[2], checksum[2];
};
static_assert(sizeof(WalHeader) == 32);
inline constexpr std::uint32_t wal_magic = 0x377f0682, wal_version = 3007000;

struct WalFrame {
  be32 page;
  be32 pages_after_commit;  // 0 for a frame that ends no transaction
  be32 salt[2], checksum[2];
};
static_assert(sizeof(WalFrame) == 24);

}  // namespace hrvm::probe
