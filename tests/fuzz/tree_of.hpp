// A tree of files made of bytes: each part that begins with "@" on a line of its own names a file in the rest of that
// line, and holds it in the lines that follow; "@/a -> b" is a link.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "support/memory_files.hpp"

namespace hrvm::test {

inline MemoryFiles tree_of(std::string_view bytes) {
  MemoryFiles files;
  for (int count = 0; !bytes.empty() && count < 256; ++count) {
    const auto end = bytes.find("\n@");
    const auto part = bytes.substr(0, end);
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
    const auto line = part.substr(0, part.find('\n'));
    const auto arrow = line.find(" -> ");
    const std::string path(line.substr(std::min<std::size_t>(line.size(), 1), arrow == line.npos ? arrow : arrow - 1));
    if (arrow == 0 || !path.starts_with('/') || path.ends_with('/')) continue;
    if (arrow != line.npos)
      files.link(path, std::string(line.substr(arrow + 4)));
    else
      files.add(path, std::string(part.substr(std::min(part.size(), line.size() + 1))));
  }
  return files;
}

}  // namespace hrvm::test
