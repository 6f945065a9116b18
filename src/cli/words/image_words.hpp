// What the commands that read image files share: --format, and the child that reads what may be hostile.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::cli {

Option image_format_option(std::string name = "--format");
std::optional<image::ImageFormat> image_format(const Arguments& arguments, std::string_view option = "--format");
Option allow_in_use_option();

// The positional that names an image, made absolute.
std::filesystem::path image_file(const Arguments& arguments, std::size_t index = 0);

// An image::InfoReader that reads in a child.
image::ImageInfo read_info_confined(block::BlockDevice& file, std::optional<image::ImageFormat> format);

// Error{refused} when an image of the chain is open for writing, unless --allow-in-use makes that a warning.
void check_unwritten(const Context& context, const std::vector<image::ImageInfo>& chain);

// What an image shows. A disk is read as its medium is, whatever the page cache holds of it.
std::unique_ptr<block::BlockDevice> open_for_reading(const image::ImageInfo& image);

// What the function returns, called in a child that can only read what is open. Error{corrupt} about `path` when the
// child dies of it.
std::string read_confined(const std::filesystem::path& path, const sys::ConfinedFunction& function);

}  // namespace hrvm::cli
