#include "hrvm/launch/throw_away.hpp"

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

// Flash of PCs is a few MiB; what is larger is no variables.
constexpr std::size_t largest_nvram = 64 * base::MiB;

void copy_variables(const machine::Path& from, const machine::Path& to) {
  sys::AtomicFile copy(to);
  copy.write(sys::read_file(from, largest_nvram));
  copy.commit();
}

// Another command may take the folder for one that was left behind, in the moment before it is locked.
sys::Lock make_locked(const machine::Path& folder) {
  sys::make_directories(folder);
  if (auto lock = sys::Lock::try_take(folder, sys::Lock::Mode::exclusive)) return std::move(*lock);
  throw base::Error(base::ErrorKind::busy, "another command cleans up in the store").on(folder).hint("try again");
}

void create_layer(const machine::Path& file, const machine::Machine& machine, const machine::State& state) {
  const auto below = image::read_info(machine.layer_path(state.layer), image::ImageFormat::qcow2);
  const auto backing = "../../layers/" + state.layer + ".qcow2";
  const image::NewImage layer{
      below.virtual_bytes, {below.cluster_bytes, below.subclusters}, image::BackingReference{backing, "qcow2"}};
  sys::AtomicFile written(file);
  image::create_qcow2(written.fd(), file, layer);
  written.commit();
}

}  // namespace

machine::Machine give_nvram(const sys::Host& host, const machine::Store& store, const machine::Machine& machine,
                            const std::string& id, const UefiFirmware& firmware) {
  const auto file = machine.nvram_path(id);
  sys::make_directories(file.parent_path());
  copy_variables(host.path(firmware.template_path), file);
  auto definition = machine.definition;
  definition.active.nvram = id;
  return store.commit(machine.name, definition);
}

ThrowAway::ThrowAway(const machine::Machine& machine, const machine::State& state, const std::string& id)
    : folder_(machine.folder / "tmp" / id), lock_(make_locked(folder_)) {
  create_layer(layer(), machine, state);
}

void ThrowAway::fill_nvram(const sys::Host& host, const std::optional<machine::Path>& original,
                           const UefiFirmware& firmware) const {
  copy_variables(original ? *original : host.path(firmware.template_path), nvram());
}

void ThrowAway::remove() const { sys::remove_all(folder_); }

}  // namespace hrvm::launch
