// hrvm image compare ONE OTHER: whether two images show the same.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/image_reading.hpp"
#include "cli/words/image_words.hpp"
#include "hrvm/block/compare.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using image::ImageInfo;
using report::Format;

constexpr int difference_found = 3;

struct Comparison {
  ImageInfo one, other;
  std::optional<std::uint64_t> difference;  // the first one's offset
};

ImageInfo checked_image(const Context& context, std::size_t index, std::string_view format_option) {
  const auto chain = image::read_chain(image_file(context.arguments, index),
                                       image_format(context.arguments, format_option), read_info_confined);
  check_unwritten(context, chain);
  return chain.front();
}

Comparison compare(const Context& context) {
  Comparison result{checked_image(context, 0, "--format"), checked_image(context, 1, "--other-format"), std::nullopt};
  const auto one = open_for_reading(result.one), other = open_for_reading(result.other);
  sys::Progress progress(context.host, "Comparing", std::max(one->size(), other->size()), context.quiet);
  result.difference = block::first_difference(*one, *other, [&](std::uint64_t done) { progress.at(done); });
  return result;
}

Json image_json(const ImageInfo& info) {
  Json json;
  return json.set("path", info.path).set("format", word(info.format)).set("virtual_bytes", info.virtual_bytes);
}

report::Report report_of(const Comparison& found) {
  Json data;
  data.set("identical", !found.difference).set("first_difference_bytes", found.difference);
  data.set("images", Json(Json::Array{image_json(found.one), image_json(found.other)}));
  const auto verdict = found.difference ? fmt::format("They differ, at {} ({:#x}) for the first time.",
                                                      *found.difference, *found.difference)
                                        : "They show the same.";
  return {.schema = "hrvm.image-compare/1",
          .data = data,
          .human = {report::TextView{verdict}},
          .plain = {.columns = {{"", "identical"}, {"", "first_difference_bytes"}}}};
}

Outcome run_image_compare(const Context& context) {
  const auto found = compare(context);
  if (!found.difference && found.one.virtual_bytes != found.other.virtual_bytes)
    context.note("one of them is longer, by zeros alone");
  return {.report = report_of(found), .status = found.difference ? difference_found : 0};
}

}  // namespace

const Command image_compare_command = {
    .name = "image compare",
    .summary = "tell whether two images show the same",
    .options = {image_format_option("--format"), image_format_option("--other-format"), allow_in_use_option()},
    .positionals = {{"ONE", "an image, or a disk", Completes::source},
                    {"OTHER", "what it is compared with", Completes::source}},
    .run = run_image_compare,
};

}  // namespace hrvm::cli
