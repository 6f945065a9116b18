#include "hrvm/machine/change.hpp"

namespace hrvm::machine {
namespace {

std::vector<std::string> created_files(const Change& change) {
  std::vector<std::string> files;
  for (const auto& layer : change.new_layers) files.push_back(change.definition.layer_file(layer.id, layer.disk));
  for (const auto& copy : change.nvram_copies) files.push_back("nvram/" + copy.to + ".fd");
  return files;
}

base::Json merge_json(const Definition& definition, const LayerMerge& merge) {
  return base::Json::object()
      .set("from", definition.layer_file(merge.parent))
      .set("into", definition.layer_file(merge.child));
}

}  // namespace

base::Json to_json(const Change& change) {
  return base::Json::object()
      .set("what", change.what)
      .set("creates", created_files(change))
      .set("merges", change.merge ? merge_json(change.definition, *change.merge) : base::Json())
      .set("discards", change.discards)
      .set("nameless", change.nameless ? base::Json(change.definition.layer_file(*change.nameless)) : base::Json())
      .set("warnings", change.warnings);
}

}  // namespace hrvm::machine
