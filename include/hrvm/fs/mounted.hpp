// MountedFiles: a tree put together as mount(8) does it: one filesystem, or a folder of one, is its root, and others
// lie on folders of it. Nothing is copied; what they are made of must outlive it, or be given to it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

class MountedFiles : public FileSystem {
 public:
  MountedFiles();  // on nothing: an empty folder
  // `folder` is no link. Error{not_found} where it is not there.
  explicit MountedFiles(FileSystem& root, std::string_view folder = "/");
  // Lays a filesystem, or a folder of it, on a folder of this tree, over what was laid there before. A last name that
  // is not there is shown all the same. False where the way to it is not there, or `folder` is none.
  bool mount(std::string_view path, FileSystem& files, std::string_view folder = "/");
  // Keeps what a mount is made of.
  FileSystem& hold(std::unique_ptr<FileSystem> files);

  std::string_view type() const override { return sources_.front()->type(); }
  JournalState journal() const override { return sources_.front()->journal(); }
  bool needs_recovery() const override { return sources_.front()->needs_recovery(); }
  Node root() override { return root_; }
  std::optional<Node> find(Node folder, std::string_view name) override;
  Stat stat(Node node) override;
  void visit(Node folder, const EntryVisitor& visitor) override;
  using FileSystem::read, FileSystem::read_link;
  std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) override;
  std::string read_link(Node link) override;
  std::vector<Attribute> attributes(Node node) override;

 private:
  // A node of this tree names by `tree` which filesystem it is of, and which tree there.
  struct Tree {
    std::size_t source;
    std::uint64_t inner;
    friend auto operator<=>(const Tree&, const Tree&) = default;
  };
  using Point = std::pair<Node, std::string>;  // a folder, without its generation, and a name in it

  Node outer(std::size_t source, Node inner);
  const Tree& tree_of(Node node) const;
  FileSystem& files_of(Node node) const { return *sources_[tree_of(node).source]; }
  Node inner(Node node) const;
  const Node* mounted_at(Node folder, std::string_view name) const;

  std::vector<FileSystem*> sources_;
  std::vector<std::unique_ptr<FileSystem>> held_;
  std::vector<Tree> trees_;
  std::map<Tree, std::uint64_t> numbers_;  // of trees_
  std::map<Point, Node> mounts_;
  Node root_;
};

}  // namespace hrvm::fs
