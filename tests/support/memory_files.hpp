// A filesystem in memory: MemoryFiles files; files.add("/etc/os-release", "ID=debian\n").link("/etc/x", "../y");
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::test {

enum class Names { as_spelled, ignoring_case };

class MemoryFiles : public fs::FileSystem {
 public:
  explicit MemoryFiles(Names names = Names::as_spelled) : nodes_(Before{names}) {
    put("/", {fs::FileKind::directory, ""});
  }
  explicit MemoryFiles(const std::map<std::string, std::string>& files, Names names = Names::as_spelled)
      : MemoryFiles(names) {
    for (const auto& [path, content] : files) add(path, content);
  }
  // Folders above it come by themselves.
  MemoryFiles& add(const std::string& path, std::string content) { return put(path, {fs::FileKind::regular, content}); }
  MemoryFiles& link(const std::string& path, std::string target) { return put(path, {fs::FileKind::symlink, target}); }
  MemoryFiles& folder(const std::string& path) { return put(path, {fs::FileKind::directory, ""}); }

  std::string_view type() const override { return "memory"; }

  fs::Node root() override { return {0, 1, 0}; }
  std::optional<fs::Node> find(fs::Node folder, std::string_view name) override {
    const auto found = nodes_.find(below(path_of(folder, fs::FileKind::directory)) + std::string(name));
    return found != nodes_.end() ? std::optional(fs::Node{0, found->second.id, 0}) : std::nullopt;
  }
  fs::Stat stat(fs::Node node) override {
    const File& file = file_of(node);
    fs::Stat stat{.node = node, .kind = file.kind};
    stat.size_bytes = file.content.size();
    return stat;
  }
  void visit(fs::Node folder, const fs::EntryVisitor& visitor) override {
    const std::string start = below(path_of(folder, fs::FileKind::directory));
    for (const auto& [path, file] : nodes_)
      if (path.size() > start.size() && begins_with(path, start) && path.find('/', start.size()) == std::string::npos &&
          !visitor({std::string_view(path).substr(start.size()), {0, file.id, 0}, file.kind}))
        return;
  }
  using FileSystem::read, FileSystem::read_link;
  std::size_t read(fs::Node node, std::uint64_t offset, std::span<std::byte> out) override {
    const std::string& content = nodes_.at(path_of(node, fs::FileKind::regular)).content;
    if (offset >= content.size()) return 0;
    const auto piece = std::as_bytes(std::span(content)).subspan(std::size_t(offset));
    const auto length = std::min(piece.size(), out.size());
    std::ranges::copy(piece.first(length), out.begin());
    bytes_read += length;
    return length;
  }
  std::optional<fs::FileExtent> extent_at(fs::Node node, std::uint64_t offset, std::uint64_t limit) override {
    const auto size = nodes_.at(path_of(node, fs::FileKind::regular)).content.size();
    if (offset >= size) return std::nullopt;
    return fs::FileExtent{.offset = offset, .length = std::min(limit, size - offset), .stored = fs::Stored::inside};
  }
  std::string read_link(fs::Node link) override { return nodes_.at(path_of(link, fs::FileKind::symlink)).content; }
  bool needs_recovery() const override { return is_unclean; }

  bool is_unclean = false;
  std::uint64_t bytes_read = 0;  // of all files together

 private:
  struct File {
    fs::FileKind kind;
    std::string content;
    std::uint64_t id = 0;  // its place in paths_, from 1
  };

  struct Before {
    Names names;
    bool operator()(const std::string& a, const std::string& b) const {
      return names == Names::as_spelled ? a < b : base::lower(a) < base::lower(b);
    }
  };

  bool begins_with(const std::string& path, const std::string& start) const {
    const Before before = nodes_.key_comp();
    const std::string head = path.substr(0, start.size());
    return !before(head, start) && !before(start, head);
  }
  static std::string below(const std::string& folder) { return folder == "/" ? folder : folder + "/"; }

  MemoryFiles& put(const std::string& path, File file) {
    take_in(path, std::move(file));
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
      if (const auto folder = path.substr(0, slash); !nodes_.contains(folder))
        take_in(folder, {fs::FileKind::directory, ""});
    return *this;
  }
  void take_in(const std::string& path, File file) {
    paths_.push_back(path);
    file.id = paths_.size();
    nodes_[path] = std::move(file);
  }
  const std::string& path_of(fs::Node node, fs::FileKind kind) const {
    if (file_of(node).kind != kind)
      throw base::Error(base::ErrorKind::not_found, "it is of another kind").on(paths_[node.id - 1]);
    return paths_[node.id - 1];
  }
  const File& file_of(fs::Node node) const {
    if (node.id == 0 || node.id > paths_.size()) throw base::Error(base::ErrorKind::not_found, "there is no such file");
    return nodes_.at(paths_[node.id - 1]);
  }

  std::vector<std::string> paths_;
  std::map<std::string, File, Before> nodes_;
};

}  // namespace hrvm::test
