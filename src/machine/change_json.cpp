#include "hrvm/machine/change.hpp"

namespace hrvm::machine {
namespace {

std::vector<std::string> created_files(const Change& change) {
  std::vector<std::string> files;
  for (const auto& layer : change.new_layers) files.push_back("layers/" + layer.id + ".qcow2");
  for (const auto& copy : change.nvram_copies) files.push_back("nvram/" + copy.to + ".fd");
  return files;
}

base::Json merge_json(const LayerMerge& merge) {
  return base::Json::object()
      .set("from", "layers/" + merge.parent + ".qcow2")
      .set("into", "layers/" + merge.child + ".qcow2");
}

}  // namespace

base::Json to_json(const Change& change) {
  return base::Json::object()
      .set("what", change.what)
      .set("creates", created_files(change))
      .set("merges", change.merge ? merge_json(*change.merge) : base::Json())
      .set("discards", change.discards)
      .set("warnings", change.warnings);
}

}  // namespace hrvm::machine
