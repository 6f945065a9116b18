#include "hrvm/machine/open_state.hpp"

#include "hrvm/image/disk_image.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::machine {

std::unique_ptr<block::BlockDevice> open_state(const sys::Host& host, const Machine& machine, const State& state,
                                               std::size_t disk, const probe::Disk& base) {
  const auto open_its_base = [host = &host, base](const image::BackingReference& backing) {
    // What backs a base that is qcow2 is where its header says; the base itself may have moved.
    if (base.format == probe::DiskFormat::qcow2) return image::open_fresh(backing);
    return open_base(*host, base);
  };
  return image::open_image(machine.layer_path(state.layer, disk), image::ImageFormat::qcow2, open_its_base);
}

}  // namespace hrvm::machine
