// The packages of one database as they are read: bounded, whatever it holds.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "hrvm/probe/packages.hpp"

namespace hrvm::probe {

// Of one database. A Debian of 3000 packages has 100 KB of names and versions.
inline constexpr std::size_t most_packages = 1 << 17, most_package_text = 8 << 20;

class PackageList {
 public:
  // One without a name or a version is none. Error{unsupported} for what goes beyond the bounds.
  void add(std::string_view name, std::string_view version, std::string_view architecture);
  // Sorted, each once.
  std::vector<Package> take();

 private:
  std::vector<Package> packages_;
  std::size_t text_ = 0;
};

}  // namespace hrvm::probe
