// The index of the filesystems that hrvm reads. One more is
//   include/hrvm/fs/file_system.hpp   open_NAME: what it is, and what of it is not read
//   src/fs/look_at.hpp                look_at_NAME
//   src/fs/NAME/format.hpp            its structures on disk, with where they are specified
//   src/fs/NAME/NAME.cpp              the reader: FileSystem by node
//   src/fs/NAME/mark.cpp              what of it moves when it is mounted or written
//   tests/unit/fs/NAME/NAME_test.cpp  against the filesystem's own tools
//   tests/fuzz/fuzz_NAME.cpp          with what the fuzzer finds in tests/corpus/NAME
// and a row here. A room of fs is named in tests/rules/layers.sh, and so is a C library that it hides.
#include <array>

#include "fs/look_at.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/fs/marks.hpp"

namespace hrvm::fs {

namespace {

struct Kind {
  std::string_view type;  // libblkid's word
  std::unique_ptr<FileSystem> (*open)(block::BlockDevice&);
  std::string_view noun;  // of what is looked at
  block::Look (*look)(block::BlockDevice&);
};
constexpr std::array kinds{
    Kind{"ext2", open_ext, "superblock", look_at_ext},
    Kind{"ext3", open_ext, "superblock", look_at_ext},
    Kind{"ext4", open_ext, "superblock", look_at_ext},
    Kind{"vfat", open_fat, "allocation table", look_at_fat},
    Kind{"ntfs", open_ntfs, "master file table", look_at_ntfs},
    Kind{"xfs", open_xfs, "superblock and log", look_at_xfs},
    Kind{"btrfs", open_btrfs, "superblock", look_at_btrfs},
};

std::string_view word(JournalState state) {
  constexpr std::array<std::string_view, 3> words{"clean", "replayed", "ignored"};
  return words.at(std::size_t(state));
}

const Kind* kind_of(std::string_view type) {
  for (const Kind& kind : kinds)
    if (kind.type == type) return &kind;
  return nullptr;
}

}  // namespace

std::unique_ptr<FileSystem> open_file_system(std::string_view type, block::BlockDevice& device) {
  const Kind* kind = kind_of(type);
  if (!kind) return nullptr;
  auto files = kind->open(device);
  base::trace("fs", "reads {} on {}, its journal {}", type, device.name(), word(files->journal()));
  return files;
}

std::optional<block::Marker> marker_of(std::string_view type) {
  const Kind* kind = kind_of(type);
  if (!kind) return std::nullopt;
  return block::Marker{kind->type, kind->noun, kind->look};
}

}  // namespace hrvm::fs
