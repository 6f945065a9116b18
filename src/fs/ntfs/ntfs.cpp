// NTFS by libntfs-3g: the root of Windows.
#include <fmt/core.h>

#include <algorithm>

#include "fs/ntfs/extent.hpp"
#include "fs/ntfs/folder.hpp"
#include "fs/ntfs/format.hpp"
#include "fs/ntfs/volume.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

#include "fs/ntfs/library.hpp"

namespace hrvm::fs {
namespace {

class Ntfs final : public FileSystem {
 public:
  explicit Ntfs(block::BlockDevice& device) : volume_(device) {}

  std::string_view type() const override { return "ntfs"; }
  JournalState journal() const override {
    return volume_.needs_recovery() ? JournalState::ignored : JournalState::clean;
  }

  std::vector<block::BlockDevice*> devices() override { return {&volume_.device()}; }

  Node root() override { return led_to({0, ntfs::root_record, 0}); }
  std::optional<Node> find(Node folder, std::string_view name) override;
  Stat stat(Node node) override;
  void visit(Node folder, const EntryVisitor& visitor) override { ntfs::visit_folder(volume_, folder, visitor); }
  std::size_t read(Node file, std::uint64_t offset, std::span<std::byte> out) override;
  std::optional<FileExtent> extent_at(Node file, std::uint64_t offset, std::uint64_t limit) override;
  std::string read_link(Node link) override;
  std::vector<Stream> streams(Node node) override;
  std::size_t read_stream(Node node, std::string_view stream, std::uint64_t offset, std::span<std::byte> out) override;

  using FileSystem::read;
  using FileSystem::read_link;

 private:
  Node led_to(Node node);
  std::shared_ptr<ntfs::File> open_regular(Node node);
  std::size_t read(const ntfs::File& file, ntfs_attr& data, std::uint64_t offset, std::span<std::byte> out);

  ntfs::Volume volume_;
};

// What the volume itself leads to is there, or it is damaged.
Node Ntfs::led_to(Node node) {
  try {
    return volume_.open(node)->node;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    throw volume_.cannot_read(node, EIO);
  }
}

std::optional<Node> Ntfs::find(Node folder, std::string_view name) {
  const auto found = ntfs::find_in_folder(volume_, folder, name);
  return found ? std::optional(led_to(*found)) : std::nullopt;
}

Stat Ntfs::stat(Node node) {
  const auto file = volume_.open(node);
  const auto stat = ntfs::stat_of(*file);
  if (!stat) throw volume_.cannot_read(node, errno);
  return *stat;
}

std::shared_ptr<ntfs::File> Ntfs::open_regular(Node node) {
  auto file = volume_.open(node);
  if (file->kind != FileKind::regular) throw volume_.not_there(node, "is no file");
  if (file->is_reparse_point) throw volume_.unreadable(node, file->point.why_unreadable);
  return file;
}

std::size_t Ntfs::read(const ntfs::File& file, ntfs_attr& data, std::uint64_t offset, std::span<std::byte> out) {
  if (NAttrEncrypted(&data)) throw volume_.unreadable(file.node, "it is encrypted (EFS)");
  const auto size = std::uint64_t(std::max<s64>(data.data_size, 0));
  if (offset >= size) return 0;
  out = out.first(std::size_t(std::min<std::uint64_t>(out.size(), size - offset)));
  volume_.begin(out.size());
  for (std::size_t done = 0; done < out.size();) {
    const auto wanted = s64(std::min<std::size_t>(out.size() - done, base::MiB));
    const auto got = ntfs_attr_pread(&data, s64(offset + done), wanted, out.data() + done);
    if (got <= 0 || got > wanted) throw volume_.cannot_read(file.node, got < 0 ? errno : EIO);
    done += std::size_t(got);
  }
  return out.size();
}

std::size_t Ntfs::read(Node node, std::uint64_t offset, std::span<std::byte> out) {
  const auto file = open_regular(node);
  ntfs_attr* data = ntfs::data_of(*file);
  if (!data && errno == ENOENT) return 0;
  if (!data) throw volume_.cannot_read(node, errno);
  return read(*file, *data, offset, out);
}

std::optional<FileExtent> Ntfs::extent_at(Node node, std::uint64_t offset, std::uint64_t limit) {
  const auto file = open_regular(node);
  ntfs_attr* data = ntfs::data_of(*file);
  if (!data && errno == ENOENT) return std::nullopt;
  if (!data) throw volume_.cannot_read(node, errno);
  const auto size = std::uint64_t(std::max<s64>(data->data_size, 0));
  if (offset >= size) return std::nullopt;
  return ntfs::extent_of(volume_, *file, *data, offset, std::min(limit, size - offset));
}

std::string Ntfs::read_link(Node link) {
  const auto file = volume_.open(link);
  if (file->kind != FileKind::symlink) throw volume_.not_there(link, "is no symbolic link");
  return file->point.target;
}

std::vector<Stream> Ntfs::streams(Node node) {
  auto streams = ntfs::streams_of(*volume_.open(node));
  if (!streams) throw volume_.cannot_read(node, errno);
  return std::move(*streams);
}

std::size_t Ntfs::read_stream(Node node, std::string_view stream, std::uint64_t offset, std::span<std::byte> out) {
  const auto file = volume_.open(node);
  ntfs_attr* data = stream.empty() ? nullptr : ntfs::data_of(*file, stream);
  if (!data && (stream.empty() || errno == ENOENT))
    throw volume_.not_there(node, fmt::format("has no stream {}", stream));
  if (!data) throw volume_.cannot_read(node, errno);
  return read(*file, *data, offset, out);
}

}  // namespace

std::unique_ptr<FileSystem> open_ntfs(block::BlockDevice& device) { return std::make_unique<Ntfs>(device); }

}  // namespace hrvm::fs
