#include "support/temporary_directory.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "hrvm/sys/files.hpp"

namespace hrvm::test {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "hrvm-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a temporary folder " + name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryDirectory::place_for(std::string_view name) const {
  const fs::path place = path_ / fs::path(name).relative_path();
  fs::create_directories(place.parent_path());
  return place;
}

fs::path TemporaryDirectory::write(std::string_view name, std::string_view text) const {
  const fs::path place = place_for(name);
  std::ofstream file(place, std::ios::binary);
  file.write(text.data(), std::streamsize(text.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + place.string());
  return place;
}

fs::path TemporaryDirectory::link(std::string_view name, std::string_view target) const {
  const fs::path place = place_for(name);
  fs::create_symlink(target, place);
  return place;
}

fs::path TemporaryDirectory::program(std::string_view name, std::string_view script) const {
  const fs::path place = write(name, script);
  fs::permissions(place, fs::perms(0755));
  return place;
}

std::vector<std::string> TemporaryDirectory::names() const { return sys::list_directory(path_); }

}  // namespace hrvm::test
