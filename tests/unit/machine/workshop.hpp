// A machine with real layers on an image file, and qemu-io as the guest that writes.
#pragma once

#include <catch2/catch.hpp>

#include "hrvm/image/disk_image.hpp"
#include "hrvm/machine/change.hpp"
#include "machine/change/change_apply.hpp"
#include "unit/machine/fixture.hpp"

namespace hrvm::machine::testing {

inline constexpr std::uint64_t base_bytes = 4 << 20;

class Workshop {
 public:
  Workshop() {
    write_file(folder_.path() / "base.img", std::string(base_bytes, 'B'));
    auto definition = fresh_definition();
    definition.fingerprints[definition.active.layer] = sample_fingerprint("as it was", base_bytes);
    definition.disks[0].path = definition.disks[0].stable_path = (folder_.path() / "base.img").string();
    definition.disks[0].kind = BaseKind::image;
    definition.disks[0].size_bytes = base_bytes;
    lock_ = store.begin("web");
    const Machine machine{"web", store.folder() / "web", 0, definition};
    write_layer(machine, {definition.active.layer, layer_on_base(definition.disks[0], definition.geometry)});
    store.commit("web", definition);
  }

  Machine machine() const { return store.load("web"); }

  void change(const Change& change) {
    apply(store, machine(), change, [](std::uint64_t) {});
    CHECK_NOTHROW(store.check_files(machine()));
    CHECK(store.garbage(machine()).empty());
  }
  Drawn drawn() const { return draw(test_host_.host, store, machine()); }
  void snapshot(const std::string& name) { change(plan_snapshot_create(machine(), name, "", drawn())); }
  // low ← high ← the active state, each with a byte of its own: 'a', 'b' and 'c', 64 KiB apart.
  void two_snapshots() {
    guest_writes(0, 'a');
    snapshot("low");
    guest_writes(1 << 16, 'b');
    snapshot("high");
    guest_writes(2 << 16, 'c');
  }
  void revert(const std::string& name) { change(plan_snapshot_revert(machine(), name, false, drawn())); }
  void remove_snapshot(const std::string& name) { change(plan_snapshot_delete(machine(), name, drawn())); }
  void reset() { change(plan_reset(machine(), {false, false, sample_fingerprint("as it was", base_bytes)}, drawn())); }
  void undo() {
    const auto now = machine();
    change(plan_undo(now, held_step(now, std::nullopt), drawn()));
  }

  // A guest's write: the byte's 64 KiB become `letter`.
  void guest_writes(std::uint64_t offset, char letter) { guest_writes_to(machine().active_layer(), offset, letter); }
  void guest_writes_to(const Path& layer, std::uint64_t offset, char letter) {
    const auto command = fmt::format("write -P {} {} 64k", int(letter), offset);
    const auto result = test_host_.host.runner.run({{"qemu-io", "-f", "qcow2", "-c", command, layer}, {}, {}},
                                                   std::chrono::seconds(20));
    INFO(result.err);
    REQUIRE(result.exit_status == 0);
  }
  char guest_reads(std::uint64_t offset) { return shown_by(machine().definition.active.layer, offset); }
  char shown_by(const std::string& layer, std::uint64_t offset) {
    auto image = image::open_image(machine().layer_path(layer), image::ImageFormat::qcow2);
    return char(image->read(offset, 1)[0]);
  }

  Store& the_store() { return store; }
  sys::Host& host() { return test_host_.host; }

 private:
  TemporaryFolder folder_;
  TestHost test_host_;

 public:
  Store store{test_host_.host, folder_.path() / "store"};

 private:
  std::optional<sys::Lock> lock_;
};

}  // namespace hrvm::machine::testing
