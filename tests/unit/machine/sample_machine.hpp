// A definition with everything in it: two snapshots in a row, an active state on the second, one that is held for undo
// on the base.
#pragma once

#include "hrvm/machine/definition.hpp"

namespace hrvm::machine::testing {

inline base::Time at(std::string_view text) { return *base::parse_time(text); }

inline Hardware sample_hardware() {
  Hardware hardware;
  hardware.memory_bytes = 2048ull << 20;
  hardware.cpus = 2;
  hardware.firmware = Firmware::uefi;
  hardware.network = {NetworkKind::bridge, "br0"};
  hardware.nic = Nic::e1000;
  hardware.iso = Disc{"/images/rescue.iso", true};
  hardware.mac = "52:54:00:12:34:56";
  hardware.because = {"UEFI: a loader is in the ESP"};
  return hardware;
}

inline BaseIdentity sample_base() {
  BaseIdentity identity;
  identity.path = "/dev/sda";
  identity.stable_path = "/dev/disk/by-id/ata-Disk_S1";
  identity.size_bytes = 240ull << 30;
  identity.sectors = {512, 4096};
  identity.model = "Disk";
  identity.serial = "S1";
  identity.wwn = "0x5000c500a1b2c3d4";
  identity.table_uuid = "8a6ff2a8-1f0b-4a6e-9d4f-0b8a1c2d3e4f";
  return identity;
}

inline Fingerprint sample_fingerprint(std::string value = "as it was", std::uint64_t bytes = 240ull << 30) {
  return {at("2026-02-14T09:41:07Z"),
          {{"size", std::to_string(bytes) + " bytes"}, {"p3 (ext4): superblock", std::move(value)}}};
}

inline Definition sample_definition() {
  Definition definition;
  definition.uuid = *base::Guid::parse("0f0e0d0c-0b0a-4908-8706-050403020100");
  definition.created = at("2026-02-14T09:41:07Z");
  definition.description = "the web server";
  definition.system = "Debian GNU/Linux 12 (bookworm)";
  definition.disks[0] = sample_base();
  definition.active = {"00000000000000a1", "00000000000000f1", sample_hardware(), "tuned"};
  definition.log = {{1, at("2026-02-14T09:41:07Z"), "import", false, std::nullopt},
                    {2, at("2026-02-14T11:00:00Z"), "snapshot revert tuned", false,
                     State{"00000000000000b1", std::nullopt, sample_hardware(), std::nullopt}}};
  definition.snapshots = {
      {"fresh", std::nullopt, at("2026-02-14T10:00:00Z"), "just installed", "00000000000000c1", std::nullopt,
       sample_hardware()},
      {"tuned", "fresh", at("2026-02-15T10:00:00Z"), "", "00000000000000c2", "00000000000000f2", sample_hardware()}};
  definition.fingerprints = {{"00000000000000b1", sample_fingerprint()}, {"00000000000000c1", sample_fingerprint()}};
  return definition;
}

// A definition as import leaves it: one empty layer on the base.
inline Definition fresh_definition() {
  Definition definition = sample_definition();
  definition.active = {"00000000000000a1", std::nullopt, sample_hardware(), std::nullopt};
  definition.log.resize(1);
  definition.snapshots.clear();
  definition.fingerprints = {{"00000000000000a1", sample_fingerprint()}};
  return definition;
}

}  // namespace hrvm::machine::testing
