#include "cli/views/image_info_json.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using image::ImageFormat;
using image::ImageInfo;
using image::InternalSnapshot;

Json backing_json(const ImageInfo& info) {
  if (!info.backing) return {};
  const auto& [name, format] = *info.backing;
  Json json;
  json.set("path", info.backing_file.value_or(name)).set("format", format.empty() ? Json() : Json(format));
  return json.set("name", name);
}

Json snapshots_json(const ImageInfo& info) {
  Json list = Json::array();
  for (const auto& snapshot : info.snapshots) {
    Json json;
    json.set("id", snapshot.id).set("name", snapshot.name).set("created", base::format_time(snapshot.taken));
    list.push(json.set("vm_state_bytes", snapshot.vm_state_bytes));
  }
  return list;
}

std::string text(const Json& json) { return json.text().value_or(""); }
std::uint64_t number(const Json& json) { return json.unsigned_integer().value_or(0); }

InternalSnapshot snapshot_from(const Json& json) {
  return {text(json["id"]), text(json["name"]), base::parse_time(text(json["created"])).value_or(base::Time{}),
          number(json["vm_state_bytes"])};
}

}  // namespace

Json to_json(const ImageInfo& info) {
  const bool qcow2 = info.format == ImageFormat::qcow2;
  const auto known = [&](const Json& value) { return qcow2 ? value : Json(); };
  Json json;
  json.set("path", info.path).set("format", word(info.format));
  json.set("virtual_bytes", info.virtual_bytes).set("allocated_bytes", info.allocated_bytes);
  json.set("cluster_bytes", known(info.cluster_bytes)).set("subclusters", known(info.subclusters));
  json.set("version", known(info.version)).set("refcount_bits", known(info.refcount_bits));
  json.set("compression", known(info.compression));
  json.set("dirty", known(info.dirty)).set("corrupt", known(info.corrupt));
  return json.set("backing", backing_json(info)).set("snapshots", snapshots_json(info));
}

ImageInfo image_info_from_json(const Json& json) {
  ImageInfo info;
  info.path = text(json["path"]);
  info.format = base::from_word<ImageFormat>(text(json["format"])).value_or(ImageFormat::raw);
  info.virtual_bytes = number(json["virtual_bytes"]);
  info.allocated_bytes = number(json["allocated_bytes"]);
  info.cluster_bytes = std::uint32_t(number(json["cluster_bytes"]));
  info.subclusters = json["subclusters"].boolean().value_or(false);
  info.version = unsigned(number(json["version"]));
  info.refcount_bits = unsigned(number(json["refcount_bits"]));
  info.compression = text(json["compression"]);
  info.dirty = json["dirty"].boolean().value_or(false);
  info.corrupt = json["corrupt"].boolean().value_or(false);
  for (const auto& snapshot : json["snapshots"].items()) info.snapshots.push_back(snapshot_from(snapshot));
  const auto& backing = json["backing"];
  if (backing.is_object()) info.backing = image::BackingReference{text(backing["name"]), text(backing["format"])};
  return info;
}

}  // namespace hrvm::cli
