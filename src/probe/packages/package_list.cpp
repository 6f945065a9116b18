#include "probe/packages/package_list.hpp"

#include <algorithm>
#include <utility>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {

void PackageList::add(std::string_view name, std::string_view version, std::string_view architecture) {
  if (name.empty() || version.empty()) return;
  text_ += name.size() + version.size() + architecture.size();
  if (packages_.size() == most_packages || text_ > most_package_text)
    throw base::Error(base::ErrorKind::unsupported, "it names more packages than hrvm reads");
  packages_.push_back({std::string(name), std::string(version), std::string(architecture)});
}

std::vector<Package> PackageList::take() {
  std::ranges::sort(packages_);
  packages_.erase(std::unique(packages_.begin(), packages_.end()), packages_.end());
  return std::exchange(packages_, {});
}

}  // namespace hrvm::probe
