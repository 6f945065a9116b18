// The cells of a hive, read as they are needed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

class HiveCells {
 public:
  // Error{corrupt} when the file is no hive, Error{not_found} when it is not there.
  HiveCells(fs::FileSystem& files, std::string path);

  bool is_dirty() const { return dirty_; }
  std::uint32_t root() const { return root_; }
  bool has_big_data() const { return big_data_; }
  // The first `most` bytes of a cell that is in use; fewer where it is shorter.
  std::string read(std::uint32_t offset, std::size_t most);
  base::Error broken(std::string_view what, std::uint64_t offset) const;

 private:
  struct Block {
    std::uint64_t number = 0, used = 0;
    std::string bytes;
  };
  const Block& block(std::uint64_t number);
  std::string bytes_at(std::uint64_t offset, std::size_t length);

  fs::FileSystem& files_;
  std::string path_;
  std::uint64_t end_ = 0;  // of the last bin, in bytes from the first
  std::uint32_t root_ = 0;
  bool dirty_ = false, big_data_ = false;
  std::uint64_t clock_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace hrvm::probe
