#include "cli/words/image_words.hpp"

#include "hrvm/sys/files.hpp"

namespace hrvm::cli {

Option image_format_option(std::string name) {
  return {.name = std::move(name),
          .value = "FORMAT",
          .help = "what the image is, where its first bytes are not to be trusted",
          .choices = base::all_words<image::ImageFormat>()};
}

std::optional<image::ImageFormat> image_format(const Arguments& arguments, std::string_view option) {
  const auto format = arguments.value(option);
  return format ? image::from_word<image::ImageFormat>(*format) : std::nullopt;
}

Option allow_in_use_option() { return {.name = "--allow-in-use", .help = "read what is being written to as well"}; }

std::filesystem::path image_file(const Arguments& arguments, std::size_t index) {
  return sys::absolute(arguments.positional(index));
}

}  // namespace hrvm::cli
