// A file of a filesystem as a ByteStream: read in pieces of 1 MiB, of which one is held.
#pragma once

#include <string>

#include "hrvm/fs/file_system.hpp"
#include "probe/initramfs/byte_stream.hpp"

namespace hrvm::probe {

class FileStream : public ByteStream {
 public:
  // `path` is a regular file, of which [begin, end) is the stream. `files` must outlive it.
  FileStream(fs::FileSystem& files, std::string path, std::uint64_t begin, std::uint64_t end);

  std::span<const std::byte> peek() override;
  // What comes next, `least` bytes of it unless the file ends before.
  std::span<const std::byte> peek(std::size_t least);
  // What lies beyond the piece that is held is not read.
  void skip(std::uint64_t bytes) override;
  const std::string& path() const { return path_; }

 private:
  void drop(std::size_t bytes) override { at_ += bytes; }
  std::size_t held() const { return piece_.size() - at_; }
  void load();

  fs::FileSystem& files_;
  std::string path_;
  std::uint64_t end_, next_;   // where the next piece begins
  std::uint64_t piece_bytes_;  // how much it is
  std::string piece_;
  std::size_t at_ = 0;
};

}  // namespace hrvm::probe
