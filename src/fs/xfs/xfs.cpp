// XFS of versions 4 and 5: the root of RHEL and its kin.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "fs/xfs/attributes.hpp"
#include "fs/xfs/directory.hpp"
#include "fs/xfs/extents.hpp"
#include "fs/xfs/inode.hpp"
#include "fs/xfs/link.hpp"
#include "fs/xfs/log.hpp"
#include "fs/xfs/volume.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;
using xfs::Inode;

// By the type that stands behind a name.
constexpr std::array kinds = {
    FileKind::other,        FileKind::regular, FileKind::directory, FileKind::character_device,
    FileKind::block_device, FileKind::fifo,    FileKind::socket,    FileKind::symlink};

// A regular file, kept while it is read piece by piece.
struct OpenFile {
  OpenFile(xfs::Volume& volume, const Inode& opened) : inode(opened), map(volume, inode) {}
  Inode inode;
  xfs::ExtentMap map;
};

class Xfs final : public FileSystem {
 public:
  explicit Xfs(block::BlockDevice& device)
      : device_(device), log_(xfs::replay_log(device)), volume_(log_.device ? *log_.device : device) {}

  std::string_view type() const override { return "xfs"; }
  JournalState journal() const override { return log_.state; }
  std::vector<block::BlockDevice*> devices() override { return {&device_}; }

  using FileSystem::read, FileSystem::read_link;

  Node root() override { return {0, volume_.super().root_inode, 0}; }

  std::optional<Node> find(Node folder, std::string_view name) override {
    const auto found = xfs::find_name(volume_, open(folder, FileKind::directory, "is no folder"), name);
    if (!found) return std::nullopt;
    return Node{0, *found, 0};
  }

  Stat stat(Node node) override { return stat_of(volume_, open(node)); }

  void visit(Node folder, const EntryVisitor& visitor) override {
    const Inode inode = open(folder, FileKind::directory, "is no folder");
    xfs::visit_names(volume_, inode, [&](const xfs::Name& name) {
      return visitor({name.text, {0, name.inode, 0}, kind_of(name)});
    });
  }

  std::size_t read(Node node, std::uint64_t offset, std::span<std::byte> out) override {
    OpenFile& file = open_file(node);
    const std::uint64_t size = file.inode.core().size;
    if (offset >= size) return 0;
    const auto length = std::size_t(std::min<std::uint64_t>(out.size(), size - offset));
    file.map.read(volume_.device(), offset, out.first(length));
    return length;
  }

  std::optional<FileExtent> extent_at(Node node, std::uint64_t offset, std::uint64_t limit) override {
    OpenFile& file = open_file(node);
    const std::uint64_t size = file.inode.core().size;
    if (offset >= size) return std::nullopt;
    FileExtent piece{offset, std::min(limit, size - offset)};
    const auto extent = file.map.at_or_after(offset >> volume_.block_log());
    if (!extent) return piece;
    const std::uint64_t begin = extent->file_block << volume_.block_log(), end = extent->end() << volume_.block_log();
    piece.length = std::min(piece.length, (begin > offset ? begin : end) - offset);
    if (begin > offset || !extent->written) return piece;
    piece.stored = Stored::plain;
    piece.device_offset = extent->offset + (offset - begin);
    return piece;
  }

  std::string read_link(Node link) override {
    return xfs::read_target(volume_, open(link, FileKind::symlink, "is no symbolic link"));
  }

  std::vector<Attribute> attributes(Node node) override { return xfs::read_attributes(volume_, open(node)); }

 private:
  Error not_found(Node node, std::string_view why) const {
    return Error(ErrorKind::not_found, fmt::format("inode {} of {} {}", node.id, volume_.device().name(), why))
        .on(volume_.device().name());
  }

  Inode open(Node node) {
    if (node.tree != 0) throw not_found(node, "is in no tree of its own");
    const Inode inode(volume_, node.id);
    if (node.generation != 0 && node.generation != inode.core().generation) throw not_found(node, "was made anew");
    return inode;
  }

  Inode open(Node node, FileKind kind, std::string_view otherwise) {
    const Inode inode = open(node);
    if (inode.kind() != kind) throw not_found(node, otherwise);
    return inode;
  }

  OpenFile& open_file(Node node) {
    const bool is_open = open_file_ && open_file_->inode.number() == node.id && node.tree == 0 &&
                         (node.generation == 0 || node.generation == open_file_->inode.core().generation);
    if (is_open) return *open_file_;
    const Inode inode = open(node, FileKind::regular, "is no file");
    if (inode.core().flags & xfs::flag_realtime)
      throw Error(ErrorKind::unsupported, fmt::format("inode {} lies on a realtime device", node.id))
          .on(volume_.device().name());
    open_file_.reset();
    return open_file_.emplace(volume_, inode);
  }

  // Without types in folders only the inode has them, and one that is damaged has none.
  FileKind kind_of(const xfs::Name& name) {
    if (name.type != 0) return name.type < kinds.size() ? kinds[name.type] : FileKind::other;
    try {
      return Inode(volume_, name.inode).kind();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::io) throw;
      return FileKind::other;
    }
  }

  block::BlockDevice& device_;
  xfs::ReplayedLog log_;
  xfs::Volume volume_;
  std::optional<OpenFile> open_file_;
};

}  // namespace

std::unique_ptr<FileSystem> open_xfs(block::BlockDevice& device) { return std::make_unique<Xfs>(device); }

}  // namespace hrvm::fs
