#include "support/disk_writer.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace hrvm::test {
namespace {

using Bytes = std::vector<std::byte>;

void put(Bytes& bytes, std::size_t offset, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) bytes.at(offset + i) = std::byte(value >> (8 * i));
}

std::uint64_t hex(const std::string& text) { return std::stoull(text, nullptr, 16); }

// "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" in the order of the disk: three little-endian numbers, then eight bytes.
void put_guid(Bytes& bytes, std::size_t offset, const std::string& text) {
  put(bytes, offset, hex(text.substr(0, 8)), 4);
  put(bytes, offset + 4, hex(text.substr(9, 4)), 2);
  put(bytes, offset + 6, hex(text.substr(14, 4)), 2);
  const std::string rest = text.substr(19, 4) + text.substr(24, 12);
  for (unsigned i = 0; i < 8; ++i) put(bytes, offset + 8 + i, hex(rest.substr(2 * i, 2)), 1);
}

std::uint32_t crc(std::span<const std::byte> bytes) {
  std::uint32_t value = ~0u;
  for (std::byte byte : bytes) {
    value ^= std::uint32_t(byte);
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) ? (value >> 1) ^ 0xedb88320u : value >> 1;
  }
  return ~value;
}

Bytes gpt_entries(const GptDisk& disk) {
  Bytes entries(disk.entry_count * 128);
  for (const GptPartition& partition : disk.partitions) {
    const std::size_t at = (partition.number - 1) * 128;
    put_guid(entries, at, partition.type);
    put_guid(entries, at + 16, partition.guid);
    put(entries, at + 32, partition.first_lba, 8);
    put(entries, at + 40, partition.last_lba, 8);
    put(entries, at + 48, partition.attributes, 8);
    for (std::size_t i = 0; i < partition.name.size(); ++i)
      put(entries, at + 56 + 2 * i, std::uint8_t(partition.name[i]), 2);
  }
  return entries;
}

struct Place {
  std::uint64_t header_lba, other_lba, entries_lba;
};

Bytes gpt_header(const GptDisk& disk, const Bytes& entries, const Place& place) {
  const std::uint64_t entry_sectors = (entries.size() + disk.sector_bytes - 1) / disk.sector_bytes;
  const std::uint64_t last = disk.size_bytes / disk.sector_bytes - 1;
  Bytes header(disk.sector_bytes);
  std::memcpy(header.data(), "EFI PART", 8);
  put(header, 8, 0x00010000, 4);
  put(header, 12, 92, 4);
  put(header, 24, place.header_lba, 8);
  put(header, 32, place.other_lba, 8);
  put(header, 40, 2 + entry_sectors, 8);
  put(header, 48, last - entry_sectors - 1, 8);
  put_guid(header, 56, disk.guid);
  put(header, 72, place.entries_lba, 8);
  put(header, 80, disk.entry_count, 4);
  put(header, 84, 128, 4);
  put(header, 88, crc(entries), 4);
  put(header, 16, crc(std::span(header).first(92)), 4);
  return header;
}

std::fstream open(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) std::ofstream(file, std::ios::binary);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  if (!stream) throw std::runtime_error("cannot open " + file.string());
  return stream;
}

}  // namespace

std::vector<Piece> gpt_pieces(const GptDisk& disk) {
  const Bytes entries = gpt_entries(disk);
  const std::uint64_t entry_sectors = (entries.size() + disk.sector_bytes - 1) / disk.sector_bytes;
  const std::uint64_t last = disk.size_bytes / disk.sector_bytes - 1;
  const auto protective = std::uint32_t(std::min<std::uint64_t>(last, 0xffffffff));
  const Place primary{1, last, 2}, backup{last, 1, last - entry_sectors};
  return {{0, dos_sector({{.type = 0xee, .first_lba = 1, .sectors = protective}}, 0)},
          {disk.sector_bytes, gpt_header(disk, entries, primary)},
          {2 * disk.sector_bytes, entries},
          {backup.entries_lba * disk.sector_bytes, entries},
          {last * disk.sector_bytes, gpt_header(disk, entries, backup)}};
}

Bytes dos_sector(const std::vector<DosPartition>& partitions, std::uint32_t signature) {
  Bytes sector(512);
  put(sector, 440, signature, 4);
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const std::size_t at = 446 + 16 * i;
    put(sector, at, partitions[i].active ? 0x80 : 0, 1);
    put(sector, at + 4, partitions[i].type, 1);
    put(sector, at + 8, partitions[i].first_lba, 4);
    put(sector, at + 12, partitions[i].sectors, 4);
  }
  put(sector, 510, 0xaa55, 2);
  return sector;
}

void write_pieces(const std::vector<Piece>& pieces, Bytes& image) {
  for (const Piece& piece : pieces) std::memcpy(&image.at(piece.offset), piece.bytes.data(), piece.bytes.size());
}

Bytes gpt_image(const GptDisk& disk) {
  Bytes image(disk.size_bytes);
  write_pieces(gpt_pieces(disk), image);
  return image;
}

void set_size(const std::filesystem::path& file, std::uint64_t bytes) {
  open(file);
  std::filesystem::resize_file(file, bytes);
}

void write_at(const std::filesystem::path& file, std::uint64_t offset, std::span<const std::byte> bytes) {
  std::string text(bytes.size(), '\0');
  std::memcpy(text.data(), bytes.data(), bytes.size());
  write_at(file, offset, text);
}

void write_at(const std::filesystem::path& file, std::uint64_t offset, std::string_view bytes) {
  auto stream = open(file);
  stream.seekp(std::streamoff(offset));
  stream.write(bytes.data(), std::streamsize(bytes.size()));
}

void write_gpt(const std::filesystem::path& file, const GptDisk& disk) {
  set_size(file, disk.size_bytes);
  for (const Piece& piece : gpt_pieces(disk)) write_at(file, piece.offset, piece.bytes);
}

}  // namespace hrvm::test
