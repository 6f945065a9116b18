// The words that the commands on image files share: --format, --allow-in-use, and the file itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "hrvm/cli/command.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::cli {

Option image_format_option(std::string name = "--format");
std::optional<image::ImageFormat> image_format(const Arguments& arguments, std::string_view option = "--format");
Option allow_in_use_option();

// The positional that names an image, made absolute.
std::filesystem::path image_file(const Arguments& arguments, std::size_t index = 0);

}  // namespace hrvm::cli
