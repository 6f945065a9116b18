// Paths of backing files: a header names them relative to the folder of its own image.
#pragma once

#include <filesystem>

#include "hrvm/image/layout.hpp"

namespace hrvm::image {

// As QEMU tells a protocol ("nbd://…", "json:{…}") from a path: a colon before any slash.
bool names_protocol(const std::string& path);

// The reference in the header of `image` with its path made absolute. Error{unsupported} for what is no path but
// a protocol.
BackingReference resolved(const BackingReference& backing, const std::filesystem::path& image);

// What the header of `to` has to say to mean what the header of `from` means by `backing`: the same where both lie in
// one folder, else an absolute path.
BackingReference moved(const BackingReference& backing, const std::filesystem::path& from,
                       const std::filesystem::path& to);

}  // namespace hrvm::image
