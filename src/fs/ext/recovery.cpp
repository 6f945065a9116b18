#include "fs/ext/recovery.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "fs/ext/blocks.hpp"
#include "fs/ext/fast_replay.hpp"
#include "fs/jbd2/format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"

namespace hrvm::fs::ext {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint8_t backup_of_blocks = 1;  // in the superblock's journal_backup_type

using Lookup = std::function<Run(std::uint64_t block)>;

jbd2::JournalPlace place_of(const Volume& volume, std::uint64_t bytes, const Lookup& lookup) {
  jbd2::JournalPlace place{volume.block_bytes(), volume.blocks()};
  const std::uint64_t end = std::min(bytes / volume.block_bytes(), jbd2::most_journal_blocks + 1);
  for (std::uint64_t block = 0; block < end;) {
    const Run run = lookup(block);
    if (run.volume_block == 0) break;
    const std::uint64_t blocks = std::min(run.blocks, end - block);
    place.extents.push_back({run.volume_block, blocks});
    block += blocks;
  }
  return place;
}

bool begins_with_magic(Volume& volume, const jbd2::JournalPlace& place) {
  if (place.extents.empty()) return false;
  const auto first = volume.read_block(place.extents[0].first);
  return base::load<jbd2::JournalHeader>(first).magic == jbd2::journal_magic;
}

jbd2::JournalPlace by_inode(Volume& volume) {
  const File file = volume.file(volume.super().journal_inode);
  if (!file.is(mode_regular) || file.inode.links_count == 0) throw volume.corrupt("its journal is no file");
  return place_of(volume, volume.file_size(file), [&](std::uint64_t block) { return run_at(volume, file, block); });
}

// The superblock's copy of the inode's i_block and size.
jbd2::JournalPlace by_copy(Volume& volume) {
  const auto& copy = volume.super().journal_blocks;
  std::array<std::byte, sizeof(Inode::block)> root;
  std::ranges::copy(std::as_bytes(std::span(copy)).first<sizeof root>(), root.begin());
  const bool has_extents = base::load<ExtentHeader>(root).magic == extent_magic;
  return place_of(volume, std::uint64_t(copy[15]) << 32 | copy[16], [&](std::uint64_t block) {
    return has_extents ? run_in_extents(volume, root, block) : run_in_pointers(volume, root, block);
  });
}

std::optional<jbd2::JournalPlace> sound(Volume& volume, jbd2::JournalPlace (*find)(Volume&)) {
  try {
    jbd2::JournalPlace place = find(volume);
    if (begins_with_magic(volume, place)) return place;
  } catch (const Error&) {  // damaged: there may be another
  }
  return std::nullopt;
}

jbd2::JournalPlace find_journal(Volume& volume) {
  if (volume.super().journal_inode == 0) throw Error(ErrorKind::unsupported, "the journal lies on another device");
  if (auto place = sound(volume, by_inode)) return *std::move(place);
  const bool has_copy = volume.super().journal_backup_type == backup_of_blocks;
  if (auto place = has_copy ? sound(volume, by_copy) : std::nullopt) return *std::move(place);
  throw Error(ErrorKind::corrupt, "the journal is not where it should be");
}

jbd2::Replay replay(Volume& volume, block::BlockDevice& device) {
  try {
    return jbd2::replay_journal(device, find_journal(volume));
  } catch (const Error& error) {
    return {JournalState::ignored, error.message()};
  }
}

void ignore(Recovered& recovered, const Error& error) {
  recovered.journal = JournalState::ignored;
  recovered.why = error.message();
}

// The superblock is among what a journal writes, and so is read anew.
bool show_newer(Recovered& recovered, block::BlockDevice& device, block::NewerBlocks newer) {
  if (newer.empty()) return true;
  auto overlay = std::make_unique<block::BlockOverlay>(device, recovered.volume->block_bytes(), std::move(newer));
  try {
    recovered.volume = std::make_unique<Volume>(*overlay);
    recovered.overlay = std::move(overlay);
    return true;
  } catch (const Error& error) {  // what was there before can be read
    ignore(recovered, error);
    return false;
  }
}

// All of them, or what the transactions left.
void replay_fast(Recovered& recovered, std::span<const std::byte> records) {
  if (records.empty()) return;
  base::trace("fs", "replays {} bytes of fast commits", records.size());
  try {
    replay_fast_commits(*recovered.volume, records);
  } catch (const Error& error) {
    recovered.volume->changes() = {};
    ignore(recovered, error);
  }
}

void replay_into(Recovered& recovered, block::BlockDevice& device) {
  jbd2::Replay replayed = replay(*recovered.volume, device);
  recovered.journal = replayed.state;
  recovered.why = std::move(replayed.why);
  if (show_newer(recovered, device, std::move(replayed.newer))) replay_fast(recovered, replayed.fast_commits);
}

}  // namespace

Recovered recover(block::BlockDevice& device) {
  Recovered recovered;
  recovered.volume = std::make_unique<Volume>(device);
  recovered.was_needed = recovered.volume->has_incompatible(incompatible_recover);
  if (recovered.was_needed) replay_into(recovered, device);
  return recovered;
}

}  // namespace hrvm::fs::ext
