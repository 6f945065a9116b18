// MemoryFileSystem: files in memory under their paths, found in any case as on NTFS. For what reads a FileSystem and
// should be tested, or fuzzed, without making a filesystem first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::test {

class MemoryFileSystem final : public fs::FileSystem {
 public:
  MemoryFileSystem() = default;
  MemoryFileSystem(std::initializer_list<std::pair<std::string, std::string>> files) {
    for (const auto& [path, bytes] : files) put(path, bytes);
  }

  void put(const std::string& path, std::string bytes) { files_[base::lower(path)] = {path, std::move(bytes)}; }
  std::uint64_t bytes_read() const { return bytes_read_; }

  std::string_view type() const override { return "ntfs"; }

  std::optional<fs::FileInfo> info(std::string_view path) override {
    if (const auto* file = find(path)) return fs::FileInfo{fs::FileKind::regular, file->bytes.size()};
    const auto inside = folder(path);
    const auto first = files_.lower_bound(inside);
    const bool is_folder = first != files_.end() && first->first.starts_with(inside);
    return is_folder ? std::optional(fs::FileInfo{fs::FileKind::directory}) : std::nullopt;
  }

  std::vector<fs::Entry> list(std::string_view path) override {
    std::vector<fs::Entry> entries;
    const auto inside = folder(path);
    for (const auto& [key, file] : files_) {
      if (!key.starts_with(inside)) continue;
      const auto rest = file.path.substr(inside.size());
      const auto name = rest.substr(0, rest.find('/'));
      const auto kind = name.size() == rest.size() ? fs::FileKind::regular : fs::FileKind::directory;
      if (std::ranges::find(entries, name, &fs::Entry::name) == entries.end()) entries.push_back({name, kind});
    }
    if (entries.empty()) throw base::Error(base::ErrorKind::not_found, "no folder");
    return entries;
  }

  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    const auto* file = find(path);
    if (!file) throw base::Error(base::ErrorKind::not_found, "no file");
    if (offset >= file->bytes.size()) return {};
    auto bytes = file->bytes.substr(offset, length);
    bytes_read_ += bytes.size();
    return bytes;
  }

  std::string read_link(std::string_view) override { throw base::Error(base::ErrorKind::not_found, "no link"); }

 private:
  struct File {
    std::string path, bytes;
  };

  static std::string folder(std::string_view path) {
    std::string inside = base::lower(path);
    if (!inside.ends_with('/')) inside += '/';
    return inside;
  }
  const File* find(std::string_view path) const {
    const auto found = files_.find(base::lower(path));
    return found == files_.end() ? nullptr : &found->second;
  }

  std::map<std::string, File> files_;  // by the path in lower case
  std::uint64_t bytes_read_ = 0;
};

}  // namespace hrvm::test
