#include "machine/merge_note.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/image/merge.hpp"
#include "machine/definition_schema.hpp"

namespace hrvm::machine {
namespace {

// Temporary by its name, so that it is garbage where nobody looks at it any more.
constexpr std::string_view prefix = ".merge-", suffix = ".tmp";

// The id of the layer that a file of this name is about.
std::optional<std::string> noted_layer(const std::string& name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  auto id = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  return is_id(id) ? std::optional(std::move(id)) : std::nullopt;
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
    const auto layer = noted_layer(name);
    if (!layer) continue;
    const auto line = sys::try_read_line(machine.folder / name).value_or("");
    if (const auto bytes = base::parse_unsigned(line)) image::give_back_reserved(machine.layer_path(*layer), *bytes);
    sys::remove_all(machine.folder / name);
  }
}

}  // namespace hrvm::machine
