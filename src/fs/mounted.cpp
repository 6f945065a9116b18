#include "hrvm/fs/mounted.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t most_trees = 65536;

Node without_generation(Node node) { return {node.tree, node.id, 0}; }

std::optional<Node> find_folder(FileSystem& files, std::string_view path) {
  const auto node = find(files, path);
  return node && files.stat(*node).kind == FileKind::directory ? node : std::nullopt;
}

Error none() { return Error(ErrorKind::not_found, "there is no such file"); }

// One folder, and nothing in it.
class EmptyFolder : public FileSystem {
 public:
  std::string_view type() const override { return "none"; }
  Node root() override { return {0, 1, 0}; }
  std::optional<Node> find(Node, std::string_view) override { return std::nullopt; }
  Stat stat(Node node) override {
    if (node.id != 1) throw none();
    return {.node = node, .kind = FileKind::directory, .mode = 0755};
  }
  void visit(Node, const EntryVisitor&) override {}
  std::size_t read(Node, std::uint64_t, std::span<std::byte>) override { throw none(); }
  std::optional<FileExtent> extent_at(Node, std::uint64_t, std::uint64_t) override { return std::nullopt; }
  std::string read_link(Node) override { throw none(); }
};

}  // namespace

MountedFiles::MountedFiles() {
  sources_.push_back(&hold(std::make_unique<EmptyFolder>()));
  root_ = outer(0, sources_.front()->root());
}

MountedFiles::MountedFiles(FileSystem& root, std::string_view folder) : sources_{&root} {
  const auto node = find_folder(root, folder);
  if (!node) throw Error(ErrorKind::not_found, fmt::format("there is no folder {}", folder)).on(std::string(folder));
  root_ = outer(0, *node);
}

FileSystem& MountedFiles::hold(std::unique_ptr<FileSystem> files) { return *held_.emplace_back(std::move(files)); }

bool MountedFiles::mount(std::string_view path, FileSystem& files, std::string_view folder) {
  const auto top = find_folder(files, folder);
  if (!top) return false;
  std::string real = resolve(*this, path).value_or(std::string(path));
  while (real.size() > 1 && real.ends_with('/')) real.pop_back();
  const auto slash = real.rfind('/');
  if (slash == std::string::npos || slash + 1 == real.size()) return false;
  const auto above = resolve(*this, slash == 0 ? "/" : real.substr(0, slash));
  const auto parent = above ? find_folder(*this, *above) : std::nullopt;
  if (!parent) return false;
  sources_.push_back(&files);
  mounts_.insert_or_assign(Point{without_generation(*parent), real.substr(slash + 1)},
                           outer(sources_.size() - 1, *top));
  return true;
}

Node MountedFiles::outer(std::size_t source, Node inner) {
  const auto [found, is_new] = numbers_.try_emplace(Tree{source, inner.tree}, trees_.size());
  if (is_new) {
    if (trees_.size() >= most_trees) throw Error(ErrorKind::corrupt, "there are too many trees in it");
    trees_.push_back(found->first);
  }
  return {found->second, inner.id, inner.generation};
}

const MountedFiles::Tree& MountedFiles::tree_of(Node node) const {
  if (node.tree >= trees_.size()) throw none();
  return trees_[std::size_t(node.tree)];
}

Node MountedFiles::inner(Node node) const { return {tree_of(node).inner, node.id, node.generation}; }

const Node* MountedFiles::mounted_at(Node folder, std::string_view name) const {
  const auto found = mounts_.find(Point{without_generation(folder), std::string(name)});
  return found == mounts_.end() ? nullptr : &found->second;
}

std::optional<Node> MountedFiles::find(Node folder, std::string_view name) {
  if (const Node* mounted = mounted_at(folder, name)) return *mounted;
  const auto found = files_of(folder).find(inner(folder), name);
  return found ? std::optional(outer(tree_of(folder).source, *found)) : std::nullopt;
}

Stat MountedFiles::stat(Node node) {
  Stat stat = files_of(node).stat(inner(node));
  stat.node = outer(tree_of(node).source, stat.node);
  return stat;
}

void MountedFiles::visit(Node folder, const EntryVisitor& visitor) {
  const std::size_t source = tree_of(folder).source;
  std::set<std::string, std::less<>> unseen;
  const Node key = without_generation(folder);
  for (auto at = mounts_.lower_bound(Point{key, ""}); at != mounts_.end() && at->first.first == key; ++at)
    unseen.insert(at->first.second);
  bool goes_on = true;
  files_of(folder).visit(inner(folder), [&](const DirectoryEntry& entry) {
    const Node* mounted = mounted_at(folder, entry.name);
    if (mounted) unseen.erase(std::string(entry.name));
    goes_on = visitor(mounted ? DirectoryEntry{entry.name, *mounted, FileKind::directory}
                              : DirectoryEntry{entry.name, outer(source, entry.node), entry.kind});
    return goes_on;
  });
  for (const std::string& name : unseen)
    if (goes_on) goes_on = visitor({name, *mounted_at(folder, name), FileKind::directory});
}

std::size_t MountedFiles::read(Node file, std::uint64_t offset, std::span<std::byte> out) {
  return files_of(file).read(inner(file), offset, out);
}

std::optional<FileExtent> MountedFiles::extent_at(Node file, std::uint64_t offset, std::uint64_t limit) {
  return files_of(file).extent_at(inner(file), offset, limit);
}

std::string MountedFiles::read_link(Node link) { return files_of(link).read_link(inner(link)); }

std::vector<Attribute> MountedFiles::attributes(Node node) { return files_of(node).attributes(inner(node)); }

}  // namespace hrvm::fs
