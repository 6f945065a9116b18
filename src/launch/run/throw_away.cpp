#include "hrvm/launch/throw_away.hpp"

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

constexpr std::string_view scratch_prefix = ".hrvm-throw-away-";

// Another command may take the folder for one that was left behind, in the moment before it is locked.
sys::Lock make_locked(const machine::Path& folder) {
  sys::make_directories(folder);
  if (auto lock = sys::Lock::try_take(folder, sys::Lock::Mode::exclusive)) return std::move(*lock);
  throw base::Error(base::ErrorKind::busy, "another command cleans up in the store").on(folder).hint("try again");
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// A name that hrvm alone gives.
bool is_scratch_name(std::string_view name) {
  if (!name.starts_with(scratch_prefix)) return false;
  const auto id = name.substr(scratch_prefix.size());
  return id.size() == 16 && std::ranges::all_of(id, is_hex_digit);
}

// The store's own are removed by the next command.
void remove_left_over(const machine::Path& folder) {
  if (!is_scratch_name(folder.filename().string())) return;
  for (const auto& name : sys::list_directory(folder.parent_path())) {
    const auto other = folder.parent_path() / name;
    if (other == folder || !is_scratch_name(name) || sys::link_status(other).type != sys::FileType::directory) continue;
    if (const auto lock = sys::Lock::try_take(other, sys::Lock::Mode::exclusive)) sys::remove_all(other);
  }
}

void create_layer(const machine::Path& file, const machine::Machine& machine, const machine::State& state,
                  std::size_t disk) {
  const auto below = image::read_info(machine.layer_path(state.layer, disk), image::ImageFormat::qcow2);
  // A store can move; what lies outside of it has to say where it is.
  const bool is_in_store = file.parent_path().parent_path() == machine.folder / "tmp";
  const auto backing = is_in_store ? "../../" + machine.definition.layer_file(state.layer, disk)
                                   : sys::absolute(machine.layer_path(state.layer, disk)).string();
  const image::NewImage layer{
      below.virtual_bytes, {below.cluster_bytes, below.subclusters}, image::BackingReference{backing, "qcow2"}};
  sys::AtomicFile written(file);
  image::create_qcow2(written.fd(), file, layer);
  written.commit();
}

}  // namespace

machine::Path ThrowAway::folder_of(const machine::Machine& machine, const std::string& id,
                                   const std::optional<machine::Path>& scratch) {
  return scratch ? *scratch / (std::string(scratch_prefix) + id) : machine.folder / "tmp" / id;
}

ThrowAway::ThrowAway(const machine::Machine& machine, const machine::State& state, const machine::Path& folder)
    : folder_(folder), layer_(folder_ / machine.definition.layer_name("layer")), lock_(make_locked(folder_)) {
  remove_left_over(folder_);
  if (machine.definition.is_on_folder())
    machine::make_folder_layer(layer_, machine::folder_stack(machine, state).front());
  else
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      create_layer(machine::of_disk(layer_, disk), machine, state, disk);
}

void ThrowAway::write_nvram(std::string_view variables) const {
  sys::AtomicFile file(nvram());
  file.write(variables);
  file.commit();
}

void ThrowAway::copy_tpm(const machine::Machine& machine) const { copy_tpm_state(machine.tpm_folder(), tpm_folder()); }

void ThrowAway::remove() const {
  await_tpm_end(tpm_folder());
  sys::remove_all(folder_);
}

}  // namespace hrvm::launch
