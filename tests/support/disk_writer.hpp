// Writes what makes a disk of a sparse file: partition tables, and bytes at an offset. Written from the specification,
// apart from the code under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::test {

inline const std::string type_esp = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
inline const std::string type_bios_boot = "21686148-6449-6e6f-744e-656564454649";
inline const std::string type_linux = "0fc63daf-8483-4772-8e79-3d69d8477de4";

struct GptPartition {
  unsigned number = 1;
  std::uint64_t first_lba = 0, last_lba = 0;  // inclusive
  std::string type = type_linux;
  std::string guid = "11111111-2222-4333-8444-000000000001";
  std::string name;  // ASCII
  std::uint64_t attributes = 0;
};

struct GptDisk {
  std::uint64_t size_bytes = 0;
  std::uint32_t sector_bytes = 512;
  std::string guid = "01234567-89ab-4cde-8f01-23456789abcd";
  std::vector<GptPartition> partitions;
  std::uint32_t entry_count = 128;
};

struct DosPartition {
  std::uint8_t type = 0x83;
  std::uint32_t first_lba = 0, sectors = 0;
  bool active = false;
};

// Bytes and where they go.
struct Piece {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
};

// Protective MBR, both headers and both arrays of entries.
std::vector<Piece> gpt_pieces(const GptDisk& disk);
// Sector 0 (or an EBR) with up to four entries and a disk signature.
std::vector<std::byte> dos_sector(const std::vector<DosPartition>& partitions, std::uint32_t signature);

void write_pieces(const std::vector<Piece>& pieces, std::vector<std::byte>& image);
std::vector<std::byte> gpt_image(const GptDisk& disk);

// A sparse file of that size, or an existing one grown or cut to it.
void set_size(const std::filesystem::path& file, std::uint64_t bytes);
void write_at(const std::filesystem::path& file, std::uint64_t offset, std::span<const std::byte> bytes);
void write_at(const std::filesystem::path& file, std::uint64_t offset, std::string_view bytes);
void write_gpt(const std::filesystem::path& file, const GptDisk& disk);

}  // namespace hrvm::test
