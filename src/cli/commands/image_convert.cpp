// hrvm image convert SOURCE FILE: what an image shows through all that backs it, as an image that stands alone.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/image_reading.hpp"
#include "cli/words/image_words.hpp"
#include "cli/words/target_file.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/flatten.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using image::ImageFormat;
using report::Format;

struct Conversion {
  std::vector<image::ImageInfo> chain;  // what is read, the source first
  TargetFile target;
  image::FlatForm form;
};

image::FlatForm form_of(const Arguments& arguments) {
  image::FlatForm form;
  form.format = image_format(arguments).value_or(form.format);
  if (const auto method = arguments.value("--compress"))
    form.compression = *method == "zlib" ? image::Compression::zlib : image::Compression::zstd;
  if (!form.compression || form.format == ImageFormat::qcow2) return form;
  throw Error(ErrorKind::usage, "a raw image cannot be compressed").hint("leave out --compress, or use --format qcow2");
}

void check_target(const Context& context, const Conversion& plan) {
  for (const auto& source : plan.chain) {
    if (sys::is_same_file(source.path, plan.target.path)) {
      throw Error(ErrorKind::usage, fmt::format("{} is read, and cannot be written as well", source.path))
          .on(source.path)
          .hint("name another file");
    }
  }
  const auto& bottom = plan.chain.back().path;
  if (sys::status(bottom).type == sys::FileType::block)
    check_is_not_on(context, plan.target, probe::locate_disk(context.host, bottom).path);
}

// An image of another hypervisor's container would look like one of a disk, and import would take it.
void check_source(const Context& context, const image::ImageInfo& source) {
  if (source.format != ImageFormat::raw || context.arguments.has("--source-format")) return;
  if (sys::status(source.path).type != sys::FileType::regular) return;
  const auto disk = probe::locate_disk(context.host, source.path);
  if (!disk.container) return;
  const auto obstacle = machine::image_obstacle(disk).value();
  throw Error(obstacle.kind(), obstacle.message())
      .on(obstacle.path())
      .hint(obstacle.hint() + "; --source-format raw takes its bytes as they lie");
}

Conversion plan_convert(const Context& context) {
  const auto& arguments = context.arguments;
  const auto form = form_of(arguments);
  const machine::Store store(context.host, context.store);
  Conversion plan{
      image::read_chain(image_file(arguments), image_format(arguments, "--source-format"), read_info_confined),
      target_file(arguments.positional(1), store, arguments.has("--force")), form};
  check_source(context, plan.chain.front());
  check_target(context, plan);
  check_unwritten(context, plan.chain);
  return plan;
}

void warn_of_little_space(const Context& context, const Conversion& plan) {
  const auto available = context.host.space(plan.target.path).available_bytes, most = plan.chain.front().virtual_bytes;
  if (available >= most || plan.form.compression) return;
  context.warn(fmt::format("{} are free at {}; this image takes up to {}", base::format_bytes(available),
                           plan.target.path.parent_path().string(), base::format_bytes(most)));
}

void convert(const Context& context, const Conversion& plan) {
  const auto& source = plan.chain.front();
  const auto device = open_for_reading(source);
  sys::AtomicFile file(plan.target.path);
  sys::Progress progress(context.host, "Converting " + source.path, device->size(), context.quiet);
  image::flatten(*device, file.fd(), plan.target.path, plan.form, [&](std::uint64_t done) { progress.at(done); });
  file.commit(!plan.target.replaces);
}

base::Json conversion_json(const Conversion& plan, bool dry_run) {
  base::Json data;
  data.set("source", plan.chain.front().path).set("path", plan.target.path.string());
  data.set("format", word(plan.form.format)).set("virtual_bytes", plan.chain.front().virtual_bytes);
  data.set("compression", plan.form.compression ? base::Json(word(*plan.form.compression)) : base::Json());
  if (dry_run) return data.set("replaces", plan.target.replaces);
  return data.set("allocated_bytes", sys::status(plan.target.path).allocated_bytes);
}

Outcome run_image_convert(const Context& context) {
  const auto plan = plan_convert(context);
  const bool dry_run = context.dry_run();
  warn_of_little_space(context, plan);
  if (!dry_run) convert(context, plan);
  return {.report = report::Report{
              .schema = dry_run ? "hrvm.image-convert-plan/1" : "hrvm.image-convert/1",
              .data = conversion_json(plan, dry_run),
              .human = {report::FieldsView{.fields = {{dry_run ? "Would write" : "Wrote", "path"},
                                                      {"Format", "format"},
                                                      {"Compression", "compression"},
                                                      {"Size", "virtual_bytes", Format::bytes},
                                                      {"Takes", "allocated_bytes", Format::bytes},
                                                      {"Replaces a file", "replaces", Format::yes_no}}}},
              .plain = {.columns = {{"", "path"}, {"", "format"}, {"", "virtual_bytes"}, {"", "allocated_bytes"}}}}};
}

}  // namespace

const Command image_convert_command = {
    .name = "image convert",
    .summary = "write what an image shows as an image that stands alone",
    .options = {{.name = "--format",
                 .value = "FORMAT",
                 .help = "of the image that is written (default: qcow2)",
                 .choices = {"qcow2", "raw"}},
                image_format_option("--source-format"),
                {.name = "--compress",
                 .value = "METHOD",
                 .help = "compress the clusters; zstd is faster, zlib is read by every QEMU",
                 .choices = {"zlib", "zstd"}},
                {.name = "--force", .help = "replace FILE"},
                allow_in_use_option(),
                dry_run_option()},
    .positionals = {{"SOURCE", "an image, or a disk", Completes::source},
                    {"FILE", "the image that is written", Completes::file}},
    .run = run_image_convert,
};

}  // namespace hrvm::cli
