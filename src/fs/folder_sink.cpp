#include <algorithm>
#include <span>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
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

FolderSink::~FolderSink() { give_up_file(); }

void FolderSink::give_up_file() {
  if (!file_) return;
  file_ = {};
  try {
    tree_.remove_file(file_path_);
  } catch (const base::Error&) {
    // Somebody else has been at it.
  }
}

bool FolderSink::lies_in_skipped(const StreamedFile& file) const {
  return skipped_ && (file.path == *skipped_ || file.path.starts_with(*skipped_ + "/"));
}

template <typename Do>
void FolderSink::unless_it_cannot(const StreamedFile& file, const Do& act) {
  try {
    act();
  } catch (const base::Error& error) {
    give_up_file();
    // Of what the medium says only that it is full comes with advice.
    const bool is_full = error.kind() == base::ErrorKind::io && !error.hint().empty();
    if (file.path.empty() || is_full || error.kind() == base::ErrorKind::interrupted) throw;
    if (file.stat.kind == FileKind::directory) skipped_ = file.path;
    failed(base::printable(file.path), error.message());
  }
}

void FolderSink::begin(const StreamedFile& file) {
  if (lies_in_skipped(file)) return;
  skipped_.reset();
  unless_it_cannot(file, [&] { make(file, path_of(file)); });
}

void FolderSink::make(const StreamedFile& file, const std::string& path) {
  const auto properties = properties_of(file);
  const auto special = special_of(file.stat.kind);
  if (file.stat.kind == FileKind::regular)
    begin_file(file, path);
  else if (file.stat.kind == FileKind::directory)
    tree_.make_folder(path);
  else if (file.stat.kind == FileKind::symlink)
    tree_.make_link(path, file.target, properties.owner, properties.modified);
  else if (special && wishes_.special)
    make_special(file, path, *special);
  else {
    ++count_.left_out;
    return;
  }
  ++count_.files;
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
  open_ = file;
}

void FolderSink::make_special(const StreamedFile& file, const std::string& path, Special kind) {
  tree_.make_special(path, kind, properties_of(file), file.stat.device.major, file.stat.device.minor);
}

void FolderSink::data(std::uint64_t offset, std::string_view bytes) {
  if (!file_) return;
  unless_it_cannot(open_, [&] {
    sys::write_fully(file_.get(), std::as_bytes(std::span(bytes)), offset, file_path_);
    count_.bytes += bytes.size();
  });
}

void FolderSink::end(const StreamedFile& file) {
  if (lies_in_skipped(file)) return;
  const auto path = path_of(file);
  std::vector<std::string> refused;
  unless_it_cannot(file, [&] {
    if (file.stat.kind == FileKind::directory) {
      refused = tree_.finish_folder(path, properties_of(file));
    } else if (file_) {
      refused = tree_.finish_file(file_, path, properties_of(file));
      file_ = {};
    }
  });
  count_.refused_attributes.insert(refused.begin(), refused.end());
}

void FolderSink::failed(std::string_view path, std::string_view message) {
  ++count_.failed;
  tell_(path.empty() ? "." : path, message);
}

}  // namespace hrvm::fs
