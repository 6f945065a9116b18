// QEMU's byte-range locks on image files (block/file-posix.c: open file description locks on bytes 100+n for
// permissions in use and 200+n for permissions not shared; n = 0 consistent read, 1 write, 2 write unchanged, 3
// resize). They are the one truth about whether a machine runs, whoever started it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "hrvm/sys/fd.hpp"

namespace hrvm::block {

enum class ImageUse {
  none,
  read,   // somebody reads it and forbids writing: it backs a running machine, or qemu-img works on it
  write,  // somebody has it open for writing: its machine runs
};

// Looks, without taking anything. The file is opened O_RDONLY. A filesystem without such locks, and a missing file,
// tell `none`.
ImageUse image_use(const std::filesystem::path& image);

// Takes what QEMU takes for a writer that shares nothing, so that no QEMU and no other hrvm opens the image meanwhile.
// `fd` must be open for reading, and gives the lock back when it is closed. Error{busy} when it is in use.
void lock_image_exclusively(int fd, const std::filesystem::path& image);

// Takes what a reader takes that forbids writing: any number of these go together, and none with a writer, whichever
// comes first. As above; Error{busy} when it is being written.
void lock_image_for_reading(int fd, const std::filesystem::path& image);

}  // namespace hrvm::block
