// The two copies of a GPT, and which of them can be trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "probe/table/gpt_format.hpp"

namespace hrvm::probe {

struct GptCopy {
  enum class State { absent, damaged, good };
  State state = State::absent;
  std::string fault;               // of a damaged one: "its header's checksum is wrong"
  GptHeader header{};              // unless absent
  std::vector<std::byte> entries;  // of a good one

  bool good() const { return state == State::good; }
};

struct Gpt {
  std::uint32_t sector_bytes = 512;
  GptCopy primary, backup;
  std::uint64_t backup_lba = 0;  // where the backup was looked for

  bool usable() const { return primary.good() || backup.good(); }
};

// Looks for both copies at the device's own sector size, then at 512 and 4096 bytes. nullopt when there is no trace of
// any.
std::optional<Gpt> find_gpt(block::BlockDevice& disk);

// Fills in what a usable GPT says: uuid, partitions, and findings about its copies.
void apply_gpt(const Gpt& gpt, block::BlockDevice& disk, PartitionTable& table);

}  // namespace hrvm::probe
