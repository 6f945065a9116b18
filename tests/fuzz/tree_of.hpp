// A tree of files made of bytes: each part that begins with "@" on a line of its own names a file in the rest of that
// line, and holds it in the lines that follow; "@/a -> b" is a link.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/memory_files.hpp"

namespace hrvm::test {

struct TreePart {
  std::string path;  // with a slash before it, and none behind
  std::string content;
  std::optional<std::string> target;  // of a link
};

// At most 256.
inline std::vector<TreePart> parts_of(std::string_view bytes) {
  std::vector<TreePart> parts;
  for (int count = 0; !bytes.empty() && count < 256; ++count) {
    const auto end = bytes.find("\n@");
    const auto part = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    const auto line = part.substr(0, part.find('\n'));
    const auto arrow = line.find(" -> ");
    const std::string path(line.substr(std::min<std::size_t>(line.size(), 1), arrow == line.npos ? arrow : arrow - 1));
    if (arrow == 0 || !path.starts_with('/') || path.ends_with('/')) continue;
    if (arrow != line.npos)
      parts.push_back({path, "", std::string(line.substr(arrow + 4))});
    else
      parts.push_back({path, std::string(part.substr(std::min(part.size(), line.size() + 1))), {}});
  }
  return parts;
}

inline MemoryFiles tree_of(std::string_view bytes) {
  MemoryFiles files;
  for (const auto& [path, content, target] : parts_of(bytes))
    if (target)
      files.link(path, *target);
    else
      files.add(path, content);
  return files;
}

}  // namespace hrvm::test
