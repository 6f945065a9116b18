// TemporaryDirectory: an empty folder under $TMPDIR (else /tmp) that goes, with all in it, when the object does.
//
//     const test::TemporaryDirectory folder;
//     folder.write("etc/hostname", "pve\n");
//     CHECK(sys::read_file(folder / "etc/hostname") == "pve\n");
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  // Writes a file in it, with the folders that it needs; an absolute name counts from this folder, as for a recorded
  // machine. Returns its path.
  std::filesystem::path write(std::string_view name, std::string_view text) const;
  // A symbolic link in it, with the folders that it needs.
  std::filesystem::path link(std::string_view name, std::string_view target) const;
  // An executable file in it: for find_program and for scripts that play a program.
  std::filesystem::path program(std::string_view name, std::string_view script = "#!/bin/sh\n") const;
  // Names of the entries right in it, sorted: to show that nothing was left behind.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path place_for(std::string_view name) const;
  std::filesystem::path path_;
};

}  // namespace hrvm::test
