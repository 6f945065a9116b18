#include <algorithm>
#include <span>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/tree_sinks.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::fs {
namespace {

using Special = sys::NewTree::Special;

constexpr std::size_t most_linked = 1 << 20;
constexpr std::uint32_t others_rights = 06000;  // set-user-ID, set-group-ID

std::optional<Special> special_of(FileKind kind) {
  switch (kind) {
    case FileKind::fifo:
      return Special::fifo;
    case FileKind::socket:
      return Special::socket;
    case FileKind::block_device:
      return Special::block;
    case FileKind::character_device:
      return Special::character;
    default:
      return std::nullopt;
  }
}

// What gives a program rights, and what belongs to who may give files away.
bool is_wanted(const Attribute& attribute, const CopyWishes& wishes) {
  if (attribute.name == "security.capability") return wishes.special && wishes.owners;
  return wishes.owners || attribute.name.starts_with("user.");
}

}  // namespace

FolderSink::FolderSink(sys::NewTree& tree, std::string name, const CopyWishes& wishes, TellFailure tell)
    : tree_(tree), name_(std::move(name)), wishes_(wishes), tell_(std::move(tell)) {}

std::string FolderSink::path_of(const StreamedFile& file) const {
  return file.path.empty() ? name_ : name_ + "/" + file.path;
}

sys::FileProperties FolderSink::properties_of(const StreamedFile& file) const {
  sys::FileProperties properties;
  const bool is_folder = file.stat.kind == FileKind::directory;
  if (wishes_.owners) properties.owner = {file.stat.uid, file.stat.gid};
  properties.mode = file.stat.mode & (wishes_.special || is_folder ? 07777 : 07777 & ~others_rights);
  if (file.stat.kind == FileKind::regular) properties.size_bytes = file.stat.size_bytes;
  properties.modified = {file.stat.times.modified.seconds, file.stat.times.modified.nanoseconds};
  for (const auto& attribute : file.attributes)
    if (is_wanted(attribute, wishes_)) properties.attributes.emplace_back(attribute.name, attribute.value);
  return properties;
}

void FolderSink::begin(const StreamedFile& file) {
  const auto path = path_of(file);
  ++count_.files;
  if (file.stat.kind == FileKind::regular) return begin_file(file, path);
  if (file.stat.kind == FileKind::directory) return tree_.make_folder(path);
  const auto properties = properties_of(file);
  if (file.stat.kind == FileKind::symlink)
    return tree_.make_link(path, file.target, properties.owner, properties.modified);
  const auto special = special_of(file.stat.kind);
  if (special && wishes_.special) return make_special(file, path, *special);
  --count_.files;
  ++count_.left_out;
}

void FolderSink::begin_file(const StreamedFile& file, const std::string& path) {
  file_ = {};
  if (file.stat.links > 1) {
    const auto known = linked_.find(file.stat.node);
    if (known != linked_.end()) return tree_.make_hard_link(path, known->second);
    if (linked_.size() < most_linked) linked_.emplace(file.stat.node, path);
  }
  file_ = tree_.make_file(path);
  file_path_ = path;
}

void FolderSink::make_special(const StreamedFile& file, const std::string& path, Special kind) {
  tree_.make_special(path, kind, properties_of(file), file.stat.device.major, file.stat.device.minor);
}

void FolderSink::data(std::uint64_t offset, std::string_view bytes) {
  if (!file_) return;
  sys::write_fully(file_.get(), std::as_bytes(std::span(bytes)), offset, file_path_);
  count_.bytes += bytes.size();
}

void FolderSink::end(const StreamedFile& file) {
  const auto path = path_of(file);
  std::vector<std::string> refused;
  if (file.stat.kind == FileKind::directory) {
    refused = tree_.finish_folder(path, properties_of(file));
  } else if (file_) {
    refused = tree_.finish_file(file_, path, properties_of(file));
    file_ = {};
  }
  count_.refused_attributes.insert(refused.begin(), refused.end());
}

void FolderSink::failed(std::string_view path, std::string_view message) {
  ++count_.failed;
  tell_(path, message);
}

}  // namespace hrvm::fs
