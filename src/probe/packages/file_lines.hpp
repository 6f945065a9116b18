// A text line by line, in bounded memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

inline constexpr std::size_t longest_kept_line =
    8192;  // of a longer one the beginning; no path and no version is so long

// The line is without its end, and valid until the visitor returns; false ends the visit.
using LineVisitor = std::function<bool(std::string_view line)>;

// Of a regular file; Error{not_found} for what is none, Error{unsupported} for one of more than 64 MiB: a Debian of
// 3000 packages has 5 MB in dpkg's status, and a sparse file has no end.
void visit_lines(fs::FileSystem& files, fs::Node file, const LineVisitor& visitor);
// Links followed. False where there is no such file.
bool visit_lines(fs::FileSystem& files, std::string_view path, const LineVisitor& visitor);

// What lies in a folder and is of this kind, sorted by the bytes of its name; links in the folder's own path are
// followed. Nothing where there is no such folder, Error{unsupported} for one of more than 256 Ki files.
using NameVisitor = std::function<void(const std::string& name, fs::Node node)>;
void visit_names(fs::FileSystem& files, std::string_view folder, fs::FileKind kind, const NameVisitor& visitor);

}  // namespace hrvm::probe
