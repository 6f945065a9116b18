// A file that is read in pieces, each of which is there as a whole or is an Error{corrupt}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

class ReadFile {
 public:
  // Error{not_found} where there is no such file; no link is followed.
  ReadFile(fs::FileSystem& files, std::string path);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out);

 private:
  fs::FileSystem& files_;
  std::string path_;
  fs::Node node_;
  std::uint64_t size_ = 0;
};

}  // namespace hrvm::probe
