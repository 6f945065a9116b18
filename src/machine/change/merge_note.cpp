#include "machine/change/merge_note.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/image/merge.hpp"
#include "machine/definition/definition_schema.hpp"

namespace hrvm::machine {
namespace {

// Temporary by its name, so that it is garbage where nobody looks at it any more.
constexpr std::string_view prefix = ".merge-", suffix = ".tmp";

// The layer's file that a note of this name is about.
std::optional<Path> noted_layer(const Machine& machine, const std::string& name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  const auto stem = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  const auto dash = stem.find('-');
  const auto disk = dash == stem.npos ? 0 : base::parse_unsigned(std::string_view(stem).substr(dash + 1)).value_or(0);
  const auto id = stem.substr(0, dash);
  return is_id(id) ? std::optional(machine.layer_path(id, disk)) : std::nullopt;
}

}  // namespace

MergeNote::MergeNote(const Path& layer)
    : file_(layer.parent_path().parent_path() / fmt::format("{}{}{}", prefix, layer.stem().string(), suffix)) {
  sys::AtomicFile file(file_);
  file.write(fmt::format("{}\n", sys::status(layer).size_bytes));
  file.commit();
}

void MergeNote::remove() const { sys::remove_all(file_); }

void give_back_reserved(const Machine& machine) {
  for (const auto& name : sys::list_directory(machine.folder)) {
    const auto layer = noted_layer(machine, name);
    if (!layer) continue;
    const auto line = sys::try_read_line(machine.folder / name).value_or("");
    if (const auto bytes = base::parse_unsigned(line)) image::give_back_reserved(*layer, *bytes);
    sys::remove_all(machine.folder / name);
  }
}

}  // namespace hrvm::machine
