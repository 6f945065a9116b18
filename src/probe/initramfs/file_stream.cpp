#include "probe/initramfs/file_stream.hpp"

#include <utility>

namespace hrvm::probe {
namespace {

constexpr std::uint64_t first_piece = 64 << 10, largest_piece = 1 << 20;

}  // namespace

FileStream::FileStream(fs::FileSystem& files, std::string path, std::uint64_t begin, std::uint64_t end)
    : files_(files), path_(std::move(path)), end_(end), next_(begin), piece_bytes_(first_piece) {}

// Ever larger ones: many want the beginning alone. Pieces begin at multiples of their size, where the filesystem's
// blocks begin as well.
void FileStream::load() {
  const auto length = std::min(piece_bytes_ - next_ % piece_bytes_, end_ - next_);
  piece_bytes_ = std::min(largest_piece, piece_bytes_ * 2);
  std::string more = length > 0 ? files_.read(path_, next_, std::size_t(length)) : std::string();
  next_ = more.empty() ? end_ : next_ + more.size();
  if (held() == 0)
    piece_ = std::move(more);
  else
    piece_ = piece_.substr(at_) + more;
  at_ = 0;
}

std::span<const std::byte> FileStream::peek(std::size_t least) {
  while (held() < least && next_ < end_) load();
  return std::as_bytes(std::span(piece_)).subspan(at_);
}

std::span<const std::byte> FileStream::peek() { return peek(1); }

void FileStream::skip(std::uint64_t bytes) {
  if (bytes <= held()) return drop(std::size_t(bytes));
  bytes -= held();
  drop(held());
  next_ += std::min(bytes, end_ - next_);
}

}  // namespace hrvm::probe
