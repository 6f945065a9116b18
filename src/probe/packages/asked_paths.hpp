// Paths whose packages are asked for. Readers tell every path that a package has, and only those that were asked for
// are kept.
//
// A package may name a file by another way than a walk meets it: /lib/x.so where /lib is a link to usr/lib. So both are
// told by the folder that such a link of the root leads to.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

class AskedPaths {
 public:
  // The paths must outlive this.
  AskedPaths(fs::FileSystem& root, const std::vector<std::string>& paths);

  // The package has this path. Who comes first keeps it.
  void claim(std::string_view path, std::string_view package);
  // In the order of the paths that were asked for; what an instance of this still tells afterwards is nothing.
  std::vector<std::string> take_owners() { return std::move(owners_); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  // Valid until the next call.
  std::string_view spelled_as_met(std::string_view path);

  std::vector<std::pair<std::string, std::string>> links_;  // a folder that is a link, and where it ends
  std::unordered_map<std::string, std::vector<std::size_t>, Hash, std::equal_to<>> places_;
  std::vector<std::string> owners_;
  std::string spelled_;
};

}  // namespace hrvm::probe
