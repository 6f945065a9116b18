// ImageInfo as JSON: what hrvm image info prints of an image, and what the child that reads it answers.
#pragma once

#include "hrvm/base/json.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::cli {

base::Json to_json(const image::ImageInfo& info);
// What is missing or of another type is as in an ImageInfo that says nothing.
image::ImageInfo image_info_from_json(const base::Json& json);

}  // namespace hrvm::cli
