// A folder that goes with the test, and a Host whose clock stands and whose entropy counts.
#pragma once

#include <fcntl.h>
#include <fmt/core.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/write_layers.hpp"
#include "unit/machine/sample_machine.hpp"

namespace hrvm::machine::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "hrvm-unit-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class TestHost {
 public:
  TestHost()
      : host{.streams = {in_, out_, err_},
             .runner = *runner_,
             .now = [] { return at("2026-03-01T12:00:00Z"); },
             .entropy =
                 [this] {
                   std::array<std::uint8_t, 16> bytes{};
                   bytes[15] = ++drawn_;
                   return bytes;
                 },
             .space =
                 [](const std::filesystem::path&) {
                   return sys::Space{100 * base::GiB, 50 * base::GiB, 50 * base::GiB};
                 }} {}

 private:
  std::istringstream in_;
  std::ostringstream out_, err_;
  std::unique_ptr<sys::Runner> runner_ = sys::make_process_runner();
  std::uint8_t drawn_ = 0;

 public:
  sys::Host host;
};

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// Makes every file that the definition names: its layers empty, variables with their name as content.
inline Machine stored(const Store& store, const std::string& name, const Definition& definition) {
  auto lock = store.begin(name);
  test::write_layers(store.folder() / name, definition);
  for (const auto& file : definition.files())
    if (file.starts_with("nvram/")) write_file(store.folder() / name / file, file);
  return store.commit(name, definition);
}

}  // namespace hrvm::machine::testing
