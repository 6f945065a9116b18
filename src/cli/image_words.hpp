// What the commands that read image files share: --format, and the child that reads what may be hostile.
#pragma once

#include <filesystem>
#include <optional>

#include "hrvm/cli/command.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/confined.hpp"

namespace hrvm::cli {

Option image_format_option();
std::optional<image::ImageFormat> image_format(const Arguments& arguments);

// The FILE as it was given, made absolute.
std::filesystem::path image_file(const Arguments& arguments);

// What the function returns, called in a child that can only read what is open. Error{corrupt} about `path` when the
// child dies of it.
std::string read_confined(const std::filesystem::path& path, const sys::ConfinedFunction& function);

}  // namespace hrvm::cli
