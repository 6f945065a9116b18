#include "hrvm/launch/throw_away.hpp"

#include "hrvm/base/error.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/launch/tpm.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

// Another command may take the folder for one that was left behind, in the moment before it is locked.
sys::Lock make_locked(const machine::Path& folder) {
  sys::make_directories(folder);
  if (auto lock = sys::Lock::try_take(folder, sys::Lock::Mode::exclusive)) return std::move(*lock);
  throw base::Error(base::ErrorKind::busy, "another command cleans up in the store").on(folder).hint("try again");
}

void create_layer(const machine::Path& file, const machine::Machine& machine, const machine::State& state,
                  std::size_t disk) {
  const auto below = image::read_info(machine.layer_path(state.layer, disk), image::ImageFormat::qcow2);
  const auto backing = "../../" + machine.definition.layer_file(state.layer, disk);
  const image::NewImage layer{
      below.virtual_bytes, {below.cluster_bytes, below.subclusters}, image::BackingReference{backing, "qcow2"}};
  sys::AtomicFile written(file);
  image::create_qcow2(written.fd(), file, layer);
  written.commit();
}

}  // namespace

machine::Path ThrowAway::folder_of(const machine::Machine& machine, const std::string& id) {
  return machine.folder / "tmp" / id;
}

ThrowAway::ThrowAway(const machine::Machine& machine, const machine::State& state, const std::string& id)
    : folder_(folder_of(machine, id)),
      layer_(folder_ / machine.definition.layer_name("layer")),
      lock_(make_locked(folder_)) {
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
