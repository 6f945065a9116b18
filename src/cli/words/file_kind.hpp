// What a kind of file is called.
#pragma once

#include <algorithm>
#include <array>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::cli {

struct FileKindWord {
  fs::FileKind kind;
  const char* word;
  char letter;  // as ls -l begins a line
};
inline constexpr std::array file_kind_words{
    FileKindWord{fs::FileKind::regular, "file", '-'},          FileKindWord{fs::FileKind::directory, "dir", 'd'},
    FileKindWord{fs::FileKind::symlink, "symlink", 'l'},       FileKindWord{fs::FileKind::block_device, "block", 'b'},
    FileKindWord{fs::FileKind::character_device, "char", 'c'}, FileKindWord{fs::FileKind::fifo, "fifo", 'p'},
    FileKindWord{fs::FileKind::socket, "socket", 's'},         FileKindWord{fs::FileKind::other, "other", '?'},
};
inline const FileKindWord& word_of(fs::FileKind kind) {
  return *std::ranges::find(file_kind_words, kind, &FileKindWord::kind);
}

}  // namespace hrvm::cli
