#include "image/merge/parent_view.hpp"

#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::image {
namespace {

using block::PageCache;

std::unique_ptr<Qcow2Device> open_alone(const std::filesystem::path& path) {
  auto file = block::open_device(path);
  auto header = read_header(*file);
  return std::make_unique<Qcow2Device>(std::move(file), header, nullptr);
}

}  // namespace

ParentView::ParentView(const std::filesystem::path& path) : path_(path), own_(open_alone(path)) {}

Mapping ParentView::piece(std::uint64_t offset, std::uint64_t length) {
  // Behind its end a parent shows zeros, whatever backs it.
  auto piece = offset < own_->size() ? own_->map().at(offset, length) : Mapping{Stored::zero, 0, length};
  if (piece.stored == Stored::compressed) piece.stored = Stored::data;
  // With nothing below, what is not stored reads as zeros anyhow.
  if (piece.stored == Stored::zero && !backing()) piece.stored = Stored::nothing;
  return piece;
}

bool ParentView::is_empty(std::uint64_t offset, std::uint64_t length) {
  while (length != 0) {
    auto next = piece(offset, length);
    if (next.stored != Stored::nothing) return false;
    offset += next.length;
    length -= next.length;
  }
  return true;
}

Gain ParentView::gain(std::uint64_t offset, std::uint64_t length) {
  auto first = piece(offset, length);
  if (first.stored == Stored::data) return Gain::data;
  bool is_zero = first.stored == Stored::zero;
  for (auto done = first.length; done < length;) {
    auto next = piece(offset + done, length - done);
    if (next.stored != first.stored) return Gain::data;
    done += next.length;
  }
  return is_zero ? Gain::zero : Gain::nothing;
}

bool ParentView::shows_backing(std::uint64_t offset, std::uint64_t length) {
  if (!backing()) return false;
  while (length != 0) {
    auto next = piece(offset, length);
    if (next.stored == Stored::nothing) return true;
    offset += next.length;
    length -= next.length;
  }
  return false;
}

block::SharedSource& ParentView::shown(std::uint64_t offset, std::uint64_t length) {
  if (shows_backing(offset, length)) {
    if (!whole_chain_) whole_chain_.emplace(open_image(path_, ImageFormat::qcow2), PageCache::keep);
    return whole_chain_->source;
  }
  if (!own_shared_) own_shared_.emplace(open_alone(path_), PageCache::drop);
  return own_shared_->source;
}

}  // namespace hrvm::image
