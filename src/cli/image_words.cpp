#include "cli/image_words.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {

Option image_format_option() {
  return {.name = "--format",
          .value = "FORMAT",
          .help = "what FILE is, where its first bytes are not to be trusted",
          .choices = {"raw", "qcow2"}};
}

std::optional<image::ImageFormat> image_format(const Arguments& arguments) {
  const auto format = arguments.value("--format");
  if (!format) return std::nullopt;
  return *format == "raw" ? image::ImageFormat::raw : image::ImageFormat::qcow2;
}

std::filesystem::path image_file(const Arguments& arguments) { return sys::absolute(arguments.positional(0)); }

std::string read_confined(const std::filesystem::path& path, const sys::ConfinedFunction& function) {
  auto answer = sys::run_confined(function);
  if (answer.text) return std::move(*answer.text);
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("{} cannot be read: its reader {}", path.string(), answer.death))
      .on(path.string())
      .hint("the image may be damaged, or made to break what reads it; please report it");
}

}  // namespace hrvm::cli
