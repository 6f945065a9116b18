#include "probe/packages/read_file.hpp"

#include <utility>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {

using base::Error, base::ErrorKind;

ReadFile::ReadFile(fs::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {
  const auto node = fs::find(files, path_);
  if (!node) throw Error(ErrorKind::not_found, "there is no such file").on(path_);
  node_ = *node;
  size_ = files.stat(node_).size_bytes;
}

void ReadFile::read(std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const std::size_t length = files_.read(node_, offset, out);
    if (length == 0) throw Error(ErrorKind::corrupt, "it ends before its own end").on(path_).at(offset);
    offset += length;
    out = out.subspan(length);
  }
}

}  // namespace hrvm::probe
