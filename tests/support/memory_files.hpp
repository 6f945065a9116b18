// A filesystem in memory: MemoryFiles files; files.add("/etc/os-release", "ID=debian\n").link("/etc/x", "../y");
#pragma once

#include <cstdint>
#include <map>
#include <string>

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

  std::optional<fs::FileInfo> info(std::string_view path) override {
    const auto found = nodes_.find(std::string(path));
    if (found == nodes_.end()) return std::nullopt;
    return fs::FileInfo{found->second.kind, found->second.content.size(), 0};
  }
  std::vector<fs::Entry> list(std::string_view path) override {
    node(path, fs::FileKind::directory);
    const std::string start = path == "/" ? "/" : std::string(path) + "/";
    std::vector<fs::Entry> entries;
    for (const auto& [name, child] : nodes_)
      if (name.size() > start.size() && begins_with(name, start) && name.find('/', start.size()) == std::string::npos)
        entries.push_back({name.substr(start.size()), child.kind});
    return entries;
  }
  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) override {
    const std::string& content = node(path, fs::FileKind::regular).content;
    std::string piece = offset >= content.size() ? std::string() : content.substr(offset, length);
    bytes_read += piece.size();
    return piece;
  }
  std::string read_link(std::string_view path) override { return node(path, fs::FileKind::symlink).content; }
  bool needs_recovery() const override { return is_unclean; }

  bool is_unclean = false;
  std::uint64_t bytes_read = 0;  // of all files together

 private:
  struct Node {
    fs::FileKind kind;
    std::string content;
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
  MemoryFiles& put(const std::string& path, Node node) {
    nodes_[path] = std::move(node);
    for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1))
      nodes_.try_emplace(path.substr(0, slash), Node{fs::FileKind::directory, ""});
    return *this;
  }
  const Node& node(std::string_view path, fs::FileKind kind) {
    const auto found = nodes_.find(std::string(path));
    if (found == nodes_.end() || found->second.kind != kind)
      throw base::Error(base::ErrorKind::not_found, "there is no such file").on(std::string(path));
    return found->second;
  }

  std::map<std::string, Node, Before> nodes_;
};

}  // namespace hrvm::test
