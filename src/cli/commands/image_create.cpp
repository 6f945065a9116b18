// hrvm image create FILE [SIZE]: a new, empty qcow2 image, plain or on top of another.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/image_reading.hpp"
#include "cli/views/image_info_json.hpp"
#include "cli/words/image_words.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/image/create.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using image::ImageFormat;
using report::Format;

constexpr std::uint64_t sector_bytes = 512;

struct Creation {
  TargetFile target;
  image::NewImage image;
};

// As the new image names what backs it: relative to its own folder where it was given so, not to where the person is.
std::string recorded_path(const std::string& word, const sys::Path& target) {
  if (sys::Path(word).is_absolute()) return word;
  const auto backing = sys::absolute(word);
  const auto folder = sys::canonical(backing.parent_path());
  return (folder.lexically_relative(sys::canonical(target.parent_path())) / backing.filename())
      .lexically_normal()
      .string();
}

std::optional<std::uint64_t> size_word(const Arguments& arguments) {
  if (arguments.positionals().size() < 2) return std::nullopt;
  const auto& word = arguments.positional(1);
  if (const auto bytes = base::parse_bytes(word)) return bytes;
  throw Error(ErrorKind::usage, fmt::format("SIZE: \"{}\" is no size", base::printable(word)))
      .hint("a size is a number with K, M, G or T behind it: 512M, 20G, 1.5T");
}

// The image and all that backs it have to be there: its size is this one's where none is given.
std::uint64_t plan_backing(const std::string& word, Creation& creation, std::optional<ImageFormat> format) {
  const auto chain = image::read_chain(sys::absolute(word), format, read_info_confined);
  for (const auto& below : chain) {
    if (!sys::is_same_file(below.path, creation.target.path)) continue;
    throw Error(ErrorKind::usage, fmt::format("{} cannot be backed by itself", creation.target.path.string()))
        .on(creation.target.path);
  }
  creation.image.backing = {recorded_path(word, creation.target.path), std::string(image::word(chain[0].format))};
  return chain[0].virtual_bytes;
}

Creation plan_create(const Context& context) {
  const auto& arguments = context.arguments;
  const machine::Store store(context.host, context.store);
  Creation creation{target_file(arguments.positional(0), store, arguments.has("--force")), {}};
  if (arguments.has("--classic")) creation.image.geometry = image::Geometry::classic();
  auto bytes = size_word(arguments);
  if (const auto backing = arguments.value("--backing")) {
    const auto below = plan_backing(*backing, creation, image_format(arguments, "--backing-format"));
    bytes = bytes.value_or(below);
  }
  if (!bytes) {
    throw Error(ErrorKind::usage, "an image without a backing file needs a SIZE")
        .hint(fmt::format("hrvm image create {} 20G", base::shell_quote(arguments.positional(0))));
  }
  creation.image.virtual_bytes = base::round_up(*bytes, sector_bytes);
  return creation;
}

void create(const Creation& creation) {
  sys::AtomicFile file(creation.target.path);
  image::create_qcow2(file.fd(), creation.target.path, creation.image);
  file.commit(!creation.target.replaces);
}

Json plan_json(const Creation& creation) {
  const auto& [bytes, geometry, backing] = creation.image;
  Json json;
  json.set("path", creation.target.path.string()).set("format", word(ImageFormat::qcow2)).set("virtual_bytes", bytes);
  json.set("cluster_bytes", geometry.cluster_bytes).set("subclusters", geometry.extended_l2);
  if (backing) json.set("backing", Json().set("name", backing->path).set("format", backing->format));
  return json.set("replaces", creation.target.replaces);
}

Outcome run_image_create(const Context& context) {
  const auto creation = plan_create(context);
  if (!context.dry_run()) create(creation);
  return {.report = report::Report{
              .schema = context.dry_run() ? "hrvm.image-create-plan/1" : "hrvm.image-create/1",
              .data = context.dry_run() ? plan_json(creation) : to_json(image::read_info(creation.target.path)),
              .human = {report::FieldsView{.fields = {{context.dry_run() ? "Would make" : "Made", "path"},
                                                      {"Size", "virtual_bytes", Format::bytes},
                                                      {"Clusters", "cluster_bytes", Format::bytes},
                                                      {"Subclusters", "subclusters", Format::yes_no},
                                                      {"Backed by", "backing.name"},
                                                      {"of format", "backing.format"},
                                                      {"Replaces a file", "replaces", Format::yes_no}}}},
              .plain = {.columns = {{"", "path"}, {"", "virtual_bytes"}, {"", "backing.name"}}}}};
}

}  // namespace

const Command image_create_command = {
    .name = "image create",
    .summary = "make an empty qcow2 image, plain or on top of another",
    .options = {{.name = "--backing",
                 .value = "IMAGE",
                 .help = "what the new image shows until it is written to",
                 .completes = Completes::source},
                {.name = "--backing-format",
                 .value = "FORMAT",
                 .help = "what IMAGE is, where its first bytes are not to be trusted",
                 .choices = base::all_words<ImageFormat>()},
                {.name = "--classic", .help = "clusters of 64 KiB without subclusters, which every QEMU reads"},
                {.name = "--force", .help = "replace FILE"},
                dry_run_option()},
    .positionals = {{"FILE", "the image that is made", Completes::file},
                    {"SIZE", "of its disk; else that of what backs it", Completes::nothing,
                     Positional::Count::optional}},
    .run = run_image_create,
};

}  // namespace hrvm::cli
