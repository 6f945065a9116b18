// Reparse points: files and folders of NTFS that a driver of Windows stands behind (MS-FSCC 2.1.2, [MS-FSCC] "Reparse
// Tags"): links, but also files whose bytes are kept in a form or at a place of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hrvm::fs::ntfs {

constexpr std::size_t longest_reparse_point = 16384;  // MAXIMUM_REPARSE_DATA_BUFFER_SIZE
constexpr std::size_t longest_target = 4096;          // PATH_MAX: what no system follows is no link

enum class ReparseKind {
  link,    // target() says where it leads
  stored,  // a file or folder; what a file holds cannot be read, and why_unreadable says why
  other,   // a link that leads to another volume, a socket, what is not known
};

struct ReparsePoint {
  ReparseKind kind = ReparseKind::other;
  std::string target;               // of a link, in this volume's paths: "/Users", "../Public/x"
  std::string_view why_unreadable;  // of a stored file: "it is compressed by Compact OS"
};

// Of the value of a $REPARSE_POINT attribute. What is damaged is `other`. A drive letter is taken for this volume: that
// is what the links which Windows itself makes mean by it.
ReparsePoint parse_reparse_point(std::string_view value);

}  // namespace hrvm::fs::ntfs
