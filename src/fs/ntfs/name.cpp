#include "fs/ntfs/name.hpp"

#include <memory>

#include "fs/ntfs/library.hpp"

namespace hrvm::fs::ntfs {
namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

std::optional<Name> to_utf16(std::string_view name) {
  if (name.find('\0') != name.npos) return std::nullopt;
  ntfschar* text = nullptr;
  const int length = ntfs_mbstoucs(std::string(name).c_str(), &text);
  const std::unique_ptr<ntfschar, Free> owned(text);
  if (length <= 0 || length > NTFS_MAX_NAME_LEN) return std::nullopt;
  return Name(text, text + length);
}

std::optional<std::string> to_utf8(std::span<const std::uint16_t> name) {
  char* text = nullptr;
  const int bytes = ntfs_ucstombs(name.data(), int(name.size()), &text, 0);
  const std::unique_ptr<char, Free> owned(text);
  if (bytes <= 0) return std::nullopt;
  return std::string(text, std::size_t(bytes));
}

bool is_plain(std::string_view name) { return name != "." && name != ".." && name.find('/') == name.npos; }

}  // namespace hrvm::fs::ntfs
