#include "hrvm/fs/file_system.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/path.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs {
namespace {

using base::Error, base::ErrorKind;

Error not_found(std::string_view path, std::string_view why) {
  return Error(ErrorKind::not_found, fmt::format("{} {}", path, why)).on(std::string(path));
}

Node node_of(FileSystem& files, std::string_view path, FileKind kind, std::string_view otherwise) {
  const std::optional<Node> node = find(files, path);
  if (!node || files.stat(*node).kind != kind) throw not_found(path, otherwise);
  return *node;
}

// An entry may lead to what is no file: then nothing is there.
std::optional<Stat> try_stat(FileSystem& files, Node node) {
  try {
    return files.stat(node);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

}  // namespace

std::optional<Node> find(FileSystem& files, std::string_view path) {
  Node here = files.root();
  for (const std::string& name : components(path)) {
    const std::optional<Stat> stat = try_stat(files, here);
    if (!stat || stat->kind != FileKind::directory) return std::nullopt;
    const std::optional<Node> next = files.find(here, name);
    if (!next) return std::nullopt;
    here = *next;
  }
  return here;
}

std::vector<Attribute> FileSystem::attributes(Node) { return {}; }
std::vector<Stream> FileSystem::streams(Node) { return {}; }

std::size_t FileSystem::read_stream(Node, std::string_view stream, std::uint64_t, std::span<std::byte>) {
  throw Error(ErrorKind::not_found, fmt::format("there is no stream {} in an {}", stream, type()));
}

std::optional<FileInfo> FileSystem::info(std::string_view path) {
  const std::optional<Node> node = fs::find(*this, path);
  const std::optional<Stat> stat = node ? try_stat(*this, *node) : std::nullopt;
  if (!stat) return std::nullopt;
  return FileInfo{stat->kind, stat->size_bytes, stat->times.modified.seconds};
}

Listing FileSystem::list(std::string_view path, std::size_t limit) {
  const Node folder = node_of(*this, path, FileKind::directory, "is no folder");
  Listing listing;
  try {
    visit(folder, [&](const DirectoryEntry& entry) {
      listing.is_cut = listing.entries.size() == limit;
      if (!listing.is_cut) listing.entries.push_back({std::string(entry.name), entry.kind});
      return !listing.is_cut;
    });
  } catch (const Error& error) {
    if (listing.entries.empty()) throw;
    listing.error = error;
  }
  return listing;
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
