// QEMU's byte-range locks on image files (block/file-posix.c: open file description locks on bytes 100+n for
// permissions in use and 200+n for permissions not shared; n = 0 consistent read, 1 write, 2 write unchanged, 3
// resize). They are the one truth about whether a machine runs, whoever started it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

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

// A process that has such a lock. Nobody is known where it is another user's, or another host's.
struct ImageHolder {
  pid_t pid = 0;
  std::string program;  // "qemu-img"
  std::string machine;  // of hrvm, of which the process is QEMU; else empty

  std::string text() const;    // "machine web (process 4711)", "qemu-img (process 812)"
  std::string remedy() const;  // "stop it: hrvm stop web"
};
// Of several the first that is found. For an image that is in use: it takes a look at every process.
ImageHolder image_holder(const std::filesystem::path& image);

// Takes what QEMU takes for a writer that shares nothing, so that no QEMU and no other hrvm opens the image meanwhile.
// `fd` must be open for reading, and gives the lock back when it is closed. Error{busy} when it is in use.
void lock_image_exclusively(int fd, const std::filesystem::path& image);

// Takes what a reader takes that forbids writing: any number of these go together, and none with a writer, whichever
// comes first. As above; Error{busy} when it is being written.
void lock_image_for_reading(int fd, const std::filesystem::path& image);
// The same of a file that is opened for it.
sys::Fd open_locked_for_reading(const std::filesystem::path& image);

}  // namespace hrvm::block
