#include "probe/initramfs/cpio.hpp"

#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::string_view newc = "070701", crc = "070702", trailer = "TRAILER!!!";
constexpr std::uint32_t longest_name = 4096;  // PATH_MAX of the kernel, which skips longer ones

std::string_view text(std::span<const std::byte> bytes) {
  return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

// Fields of eight hexadecimal digits follow the magic number.
enum Field : std::size_t { mode = 1, file_size = 6, name_size = 11 };

std::uint32_t field(std::string_view header, Field number) {
  const auto value = base::parse_unsigned(header.substr(6 + 8 * number, 8), 16);
  if (!value) throw Error(ErrorKind::corrupt, "a cpio archive has a header that is none");
  return std::uint32_t(*value);
}

std::uint64_t padding(std::uint64_t bytes) { return (4 - bytes % 4) % 4; }

std::string plain(std::string name) {
  while (name.starts_with("./") || name.starts_with("/")) name.erase(0, name.front() == '/' ? 1 : 2);
  return name;
}

}  // namespace

bool CpioReader::find_header() {
  stream_.skip(left_);
  left_ = 0;
  return stream_.skip_zeros() && stream_.peek().front() == std::byte{'0'};
}

CpioReader::Header CpioReader::read_header() {
  Header header;
  const auto filled = stream_.read(header);
  const auto magic = text(header).substr(0, newc.size());
  if (filled < header.size() || (magic != newc && magic != crc))
    throw Error(ErrorKind::corrupt, "a cpio archive is broken, or of another kind than newc");
  return header;
}

std::string CpioReader::read_name(std::uint32_t size_bytes) {
  if (size_bytes == 0 || size_bytes > longest_name) throw Error(ErrorKind::corrupt, "a cpio archive has no names");
  std::string name(size_bytes, '\0');
  if (stream_.read(std::as_writable_bytes(std::span(name))) < size_bytes)
    throw Error(ErrorKind::corrupt, "a cpio archive ends within a name");
  stream_.skip(padding(std::tuple_size_v<Header> + size_bytes));
  name.resize(std::min(name.find('\0'), name.size()));
  return name;
}

std::optional<CpioEntry> CpioReader::next() {
  while (find_header()) {
    is_open_ = true;
    const Header header = read_header();
    const std::uint32_t size_bytes = field(text(header), file_size);
    std::string name = read_name(field(text(header), name_size));
    left_ = size_bytes + padding(size_bytes);
    if (name != trailer) return CpioEntry{plain(std::move(name)), field(text(header), mode), size_bytes};
    is_open_ = false;
  }
  if (is_open_) throw Error(ErrorKind::corrupt, "a cpio archive ends before its trailer");
  return std::nullopt;
}

std::string CpioReader::body(std::size_t most) {
  std::string bytes(std::min<std::uint64_t>(most, left_), '\0');
  const auto filled = stream_.read(std::as_writable_bytes(std::span(bytes)));
  left_ -= filled;
  bytes.resize(filled);
  return bytes;
}

}  // namespace hrvm::probe
