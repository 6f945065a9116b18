// LogFile: a file that another process appends to, and whose older part is given back to the filesystem meanwhile. What
// is left keeps its offset, so that neither the writer nor a reader has to know.
#pragma once

#include <cstdint>
#include <string>

#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

class LogFile {
 public:
  static LogFile to_read(const Path& path);
  static LogFile to_bound(const Path& path);

  std::uint64_t size_bytes() const;
  // Where bytes are that were not given back, from `offset` on; the size of the file where there are none.
  std::uint64_t data_from(std::uint64_t offset) const;
  // At most `longest` bytes; empty at the end.
  std::string read(std::uint64_t offset, std::size_t longest) const;
  // What lies before `offset` becomes a hole. False where the filesystem has none: then the file is empty.
  bool give_back_before(std::uint64_t offset) const;
  // Has what was appended go to the medium soon, and waits for nothing.
  void begin_writing() const;

 private:
  LogFile(Fd fd, Path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  Path path_;
};

}  // namespace hrvm::sys
