// Reading image files that may be hostile: in a confined child, and with a word where somebody writes to them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::cli {

// An image::InfoReader that reads in a child.
image::ImageInfo read_info_confined(block::BlockDevice& file, std::optional<image::ImageFormat> format);

// Error{refused} when an image of the chain is open for writing, unless --allow-in-use makes that a warning.
void check_unwritten(const Context& context, const std::vector<image::ImageInfo>& chain);

// What an image shows. A disk is read as its medium is, whatever the page cache holds of it.
std::unique_ptr<block::BlockDevice> open_for_reading(const image::ImageInfo& image);

// What the function returns, called in a child that can only read what is open. Error{corrupt} about `path` when the
// child dies of it.
std::string read_confined(const std::filesystem::path& path, const sys::ConfinedFunction& function);
// The same of one that was begun earlier.
std::string read_confined(const std::filesystem::path& path, sys::ConfinedRun& run);

}  // namespace hrvm::cli
