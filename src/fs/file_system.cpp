#include "hrvm/fs/file_system.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/path.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t most_entries = 65536;

Error not_told(const FileSystem& files) {
  return Error(ErrorKind::unsupported, fmt::format("files of {} are not read by node", files.type()));
}

Error not_found(std::string_view path, std::string_view why) {
  return Error(ErrorKind::not_found, fmt::format("{} {}", path, why)).on(std::string(path));
}

Node node_of(FileSystem& files, std::string_view path, FileKind kind, std::string_view otherwise) {
  const std::optional<Node> node = find(files, path);
  if (!node || files.stat(*node).kind != kind) throw not_found(path, otherwise);
  return *node;
}

}  // namespace

std::optional<Node> find(FileSystem& files, std::string_view path) {
  Node here = files.root();
  for (const std::string& name : components(path)) {
    if (files.stat(here).kind != FileKind::directory) return std::nullopt;
    const std::optional<Node> next = files.find(here, name);
    if (!next) return std::nullopt;
    here = *next;
  }
  return here;
}

Node FileSystem::root() { throw not_told(*this); }
std::optional<Node> FileSystem::find(Node, std::string_view) { throw not_told(*this); }
Stat FileSystem::stat(Node) { throw not_told(*this); }
void FileSystem::visit(Node, const EntryVisitor&) { throw not_told(*this); }
std::size_t FileSystem::read(Node, std::uint64_t, std::span<std::byte>) { throw not_told(*this); }
std::optional<FileExtent> FileSystem::extent_at(Node, std::uint64_t, std::uint64_t) { throw not_told(*this); }
std::string FileSystem::read_link(Node) { throw not_told(*this); }
std::vector<Attribute> FileSystem::attributes(Node) { return {}; }
std::vector<Stream> FileSystem::streams(Node) { return {}; }

std::size_t FileSystem::read_stream(Node, std::string_view stream, std::uint64_t, std::span<std::byte>) {
  throw Error(ErrorKind::not_found, fmt::format("there is no stream {} in an {}", stream, type()));
}

std::optional<FileInfo> FileSystem::info(std::string_view path) {
  const std::optional<Node> node = fs::find(*this, path);
  if (!node) return std::nullopt;
  const Stat stat = this->stat(*node);
  return FileInfo{stat.kind, stat.size_bytes, stat.times.modified.seconds};
}

std::vector<Entry> FileSystem::list(std::string_view path) {
  const Node folder = node_of(*this, path, FileKind::directory, "is no folder");
  std::vector<Entry> entries;
  visit(folder, [&](const DirectoryEntry& entry) {
    entries.push_back({std::string(entry.name), entry.kind});
    return entries.size() < most_entries;
  });
  return entries;
}

std::string FileSystem::read(std::string_view path, std::uint64_t offset, std::size_t length) {
  const Node file = node_of(*this, path, FileKind::regular, "is no file");
  const std::uint64_t size = stat(file).size_bytes;
  if (offset >= size) return {};
  std::string bytes(std::size_t(std::min<std::uint64_t>(length, size - offset)), '\0');
  bytes.resize(read(file, offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

std::string FileSystem::read_link(std::string_view path) {
  return read_link(node_of(*this, path, FileKind::symlink, "is no symbolic link"));
}

std::unique_ptr<FileSystem> FileSystem::open_subvolume(std::uint64_t id) {
  throw base::Error(base::ErrorKind::not_found, fmt::format("there is no subvolume {} in an {}", id, type()));
}

}  // namespace hrvm::fs
