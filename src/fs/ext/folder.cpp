#include "fs/ext/folder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "fs/ext/attributes.hpp"
#include "fs/ext/blocks.hpp"
#include "fs/ext/entries.hpp"
#include "fs/ext/index.hpp"
#include "fs/ext/inode.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs::ext {
namespace {

constexpr std::uint64_t most_at_once = 64 * base::KiB;
constexpr std::size_t inline_parent_bytes = 4;  // an inline folder begins with its parent's number, and has no "."

using RawVisitor = std::function<bool(const FolderEntry&)>;

// By the type in an entry.
constexpr std::array entry_kinds{
    FileKind::other,        FileKind::regular, FileKind::directory, FileKind::character_device,
    FileKind::block_device, FileKind::fifo,    FileKind::socket,    FileKind::symlink,
};

FileKind kind_of(Volume& volume, const FolderEntry& entry) {
  if (entry.type != 0) return entry.type < entry_kinds.size() ? entry_kinds[entry.type] : FileKind::other;
  try {
    return kind_of(volume.file(entry.inode));
  } catch (const base::Error&) {  // is for whom asks for the file itself
    return FileKind::other;
  }
}

// Goes through a folder. A block that is none does not hide those behind it.
class Walk {
 public:
  Walk(Volume& volume, const File& folder, const RawVisitor& visitor)
      : volume_(volume), folder_(folder), visitor_(visitor), left_(volume.blocks_here()) {}

  void run() {
    if (folder_.has(flag_inline_data) ? visit_inline() : visit_blocks()) check_soundness();
  }

  // Each returns whether the visitor wants more.
  bool visit(std::span<const std::byte> block) {
    Entries entries(volume_, folder_, block);
    while (const auto entry = entries.next())
      if (!visitor_(*entry)) return false;
    is_sound_ &= entries.is_sound();
    return true;
  }

  void check_soundness() const {
    if (!is_sound_) throw volume_.corrupt(fmt::format("folder {} has entries that cannot be", folder_.number));
  }

 private:
  bool visit_inline() {
    auto data = inline_data(volume_, folder_);
    data.resize(std::size_t(std::min<std::uint64_t>(data.size(), volume_.file_size(folder_))));
    if (data.size() < inline_parent_bytes) throw volume_.corrupt("it has a folder of no size");
    return visit(std::span(data).subspan(inline_parent_bytes));
  }

  bool visit_blocks() {
    const auto end = std::min(volume_.file_size(folder_) / volume_.block_bytes(), file_blocks_end);
    for (std::uint64_t block = 0; block < end;) {
      auto run = run_at(volume_, folder_, block);
      run.blocks = std::min(run.blocks, end - block);
      block += run.blocks;
      spend(run);
      if (run.volume_block != 0 && !visit_run(run)) return false;
    }
    return true;
  }

  // A folder that leads in circles has more blocks, or pieces, than there are blocks.
  void spend(const Run& run) {
    const auto cost = run.volume_block != 0 ? run.blocks : 1;
    if (cost > left_) throw volume_.corrupt(fmt::format("folder {} leads in circles", folder_.number));
    left_ -= cost;
  }

  bool visit_run(Run run) {
    const std::uint64_t block_bytes = volume_.block_bytes();
    while (run.blocks != 0) {
      const auto blocks = std::min(run.blocks, most_at_once / block_bytes);
      buffer_.resize(std::size_t(blocks * block_bytes));
      volume_.read(run.volume_block * block_bytes, buffer_);
      for (std::size_t at = 0; at < buffer_.size(); at += block_bytes)
        if (!visit(std::span(buffer_).subspan(at, block_bytes))) return false;
      run = {run.blocks - blocks, run.volume_block + blocks};
    }
    return true;
  }

  Volume& volume_;
  const File& folder_;
  const RawVisitor& visitor_;
  std::uint64_t left_;
  std::vector<std::byte> buffer_;
  bool is_sound_ = true;
};

// Whether the visitor wants more.
bool visit_newer(Volume& volume, const NewFolder& newer, const EntryVisitor& visitor) {
  for (const auto& [name, inode] : newer.names)
    if (inode != 0 && !visitor({name, {0, inode, 0}, kind_of(volume, FolderEntry{name, inode, 0})})) return false;
  return true;
}

// Hashes of names that fold case are those of what they fold to.
bool has_index(const File& folder) {
  return folder.has(flag_index) && !folder.has(flag_inline_data) && !folder.has(flag_case_folding);
}

}  // namespace

void visit_folder(Volume& volume, const File& folder, const EntryVisitor& visitor) {
  const NewFolder* newer = volume.changes().folder(folder.number);
  const RawVisitor give = [&](const FolderEntry& entry) {
    if (newer && newer->names.contains(entry.name)) return true;
    return visitor({entry.name, {0, entry.inode, 0}, kind_of(volume, entry)});
  };
  if (newer && !visit_newer(volume, *newer, visitor)) return;
  if (!newer || !newer->is_made) Walk(volume, folder, give).run();
}

std::optional<Node> find_in_folder(Volume& volume, const File& folder, std::string_view name) {
  std::optional<Node> found;
  if (const NewFolder* newer = volume.changes().folder(folder.number)) {
    const auto named = newer->names.find(name);
    if (named == newer->names.end() ? newer->is_made : named->second == 0) return std::nullopt;
    if (named != newer->names.end()) return Node{0, named->second, 0};
  }
  const RawVisitor look = [&](const FolderEntry& entry) {
    if (entry.name == name) found = Node{0, entry.inode, 0};
    return !found;
  };
  Walk walk(volume, folder, look);
  const auto look_in_leaf = [&](std::uint64_t block) {
    std::vector<std::byte> bytes(volume.block_bytes());
    read_blocks(volume, folder, block * volume.block_bytes(), bytes);
    return walk.visit(bytes);
  };
  const bool is_told = has_index(folder) && visit_leaves(volume, folder, name, look_in_leaf);
  if (!is_told) walk.run();
  if (!found) walk.check_soundness();
  return found;
}

}  // namespace hrvm::fs::ext
