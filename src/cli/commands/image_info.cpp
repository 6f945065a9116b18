// hrvm image info FILE: what an image's header says, and with --chain the headers of all that backs it.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/image_reading.hpp"
#include "cli/views/image_info_json.hpp"
#include "cli/words/image_words.hpp"
#include "hrvm/base/finding.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using image::ImageInfo;
using report::Align;
using report::Format;

// Neither keeps it from being read.
Json findings_json(const ImageInfo& info) {
  Json list = Json::array();
  const auto add = [&](const char* id, const char* message) {
    Json finding;
    finding.set("id", id).set("severity", word(base::Severity::warning)).set("subject", info.path);
    list.push(finding.set("message", message).set("remedy", "hrvm image check " + base::shell_quote(info.path)));
  };
  if (info.dirty) add("image-dirty", "it was not closed: its refcounts may lag behind. What it shows is whole");
  if (info.corrupt) add("image-corrupt", "it was found broken when it was written to, and may be read only");
  return list;
}

std::vector<report::View> views(bool chain) {
  std::vector<report::View> views = {
      report::FieldsView{.fields = {{"Image", "path"},
                                    {"Format", "format"},
                                    {"Size", "virtual_bytes", Format::bytes},
                                    {"Takes", "allocated_bytes", Format::bytes},
                                    {"Clusters", "cluster_bytes", Format::bytes},
                                    {"Subclusters", "subclusters", Format::yes_no},
                                    {"Compression", "compression"},
                                    {"Backed by", "backing.path"},
                                    {"of format", "backing.format"}}},
      report::TableView{.title = "Snapshots",
                        .rows = "snapshots",
                        .columns = {{"ID", "id"},
                                    {"NAME", "name"},
                                    {"MADE", "created", Format::time},
                                    {"MEMORY", "vm_state_bytes", Format::bytes, Align::right}}},
      report::FindingsView{.rows = "findings"}};
  if (chain) {
    views.push_back(report::TableView{.title = "Chain",
                                      .rows = "chain",
                                      .columns = {{"SIZE", "virtual_bytes", Format::bytes, Align::right},
                                                  {"TAKES", "allocated_bytes", Format::bytes, Align::right},
                                                  {"FORMAT", "format"},
                                                  {"IMAGE", "path"}}});
  }
  return views;
}

std::vector<ImageInfo> read_infos(const Context& context, bool chain) {
  const auto file = image_file(context.arguments);
  const auto format = image_format(context.arguments);
  if (chain) return image::read_chain(file, format, read_info_confined);
  return {image::read_info(file, format, read_info_confined)};
}

Outcome run_image_info(const Context& context) {
  const bool chain = context.arguments.has("--chain");
  const auto infos = read_infos(context, chain);
  auto data = to_json(infos.front());
  Json list = Json::array();
  for (const auto& info : infos)
    if (chain) list.push(to_json(info));
  data.set("findings", findings_json(infos.front())).set("chain", list);
  return {.report = report::Report{.schema = "hrvm.image-info/1",
                                   .data = data,
                                   .human = views(chain),
                                   .plain = {.rows = chain ? "chain" : "",
                                             .columns = {{"", "path"},
                                                         {"", "format"},
                                                         {"", "virtual_bytes"},
                                                         {"", "allocated_bytes"},
                                                         {"", "cluster_bytes"},
                                                         {"", "backing.path"},
                                                         {"", "backing.format"}}}}};
}

}  // namespace

const Command image_info_command = {
    .name = "image info",
    .summary = "tell what an image file says of itself",
    .options = {{.name = "--chain", .help = "also tell the images that back it"}, image_format_option()},
    .positionals = {{"FILE", "an image, or a disk", Completes::source}},
    .run = run_image_info,
};

}  // namespace hrvm::cli
