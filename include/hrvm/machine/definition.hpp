// Definition: all that hrvm knows of a machine, as one JSON document (hrvm-machine(5)). A change never edits one: it
// writes the next generation and switches `current` to it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/guid.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/base/time.hpp"
#include "hrvm/base/words.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/image/layout.hpp"
#include "hrvm/probe/drivers.hpp"

namespace hrvm::machine {

inline constexpr std::size_t most_disks = 16;

using base::from_word;
using base::word;
using probe::Bus;
using probe::Nic;

enum class Firmware { bios, uefi };
constexpr std::array<std::string_view, 2> words_of(Firmware) { return {"bios", "uefi"}; }

enum class MachineType { q35, pc };
constexpr std::array<std::string_view, 2> words_of(MachineType) { return {"q35", "pc"}; }

enum class NetworkKind { isolated, nat, bridge, none };
constexpr std::array<std::string_view, 4> words_of(NetworkKind) { return {"isolated", "nat", "bridge", "none"}; }

// Whether UEFI boots only what is signed: by the keys of Microsoft, or, from a blank start, by those that are enrolled.
enum class SecureBoot { off, on, blank };
constexpr std::array<std::string_view, 3> words_of(SecureBoot) { return {"off", "on", "blank"}; }

// What the machine's hardware clock shows: Windows takes it for local time.
enum class Clock { utc, localtime };
constexpr std::array<std::string_view, 2> words_of(Clock) { return {"utc", "localtime"}; }

// MODEL[,+flag][,-flag]: one word of QEMU's own, so that nothing else can be said with it.
bool is_cpu_model(std::string_view text);

struct Network {
  NetworkKind kind = NetworkKind::isolated;
  std::string bridge;  // interface, for kind bridge
  // QEMU itself is the network, and leads ports of the host into the guest.
  bool can_forward() const { return kind == NetworkKind::isolated || kind == NetworkKind::nat; }
  friend bool operator==(const Network&, const Network&) = default;
};
std::string word(const Network& value);  // "isolated", "bridge=br0"
std::optional<Network> network_from(std::string_view word);

// A disc in a CD drive.
struct Disc {
  std::string path;          // absolute
  bool boots_first = false;  // before the machine's own disk
  friend bool operator==(const Disc&, const Disc&) = default;
};
std::string word(const Disc& value);  // "/images/rescue.iso,boot"
std::optional<Disc> disc_from(std::string_view word);

// A TCP port on the host's loopback address that leads into the guest.
struct PortForward {
  std::uint16_t host_port = 0, guest_port = 0;
  friend bool operator==(const PortForward&, const PortForward&) = default;
};
std::string word(const PortForward& value);  // "2222:22"
std::optional<PortForward> port_forward_from(std::string_view word);
// "2222:22,8080:80", or "none". No port of the host can be there twice.
std::optional<std::vector<PortForward>> port_forwards_from(std::string_view text);

// The tag of the root of a guest whose root is a folder; no other folder has it.
inline constexpr std::string_view root_tag = "hrvm";

// A folder of the host's that the guest can mount, by virtiofs and its tag.
struct Share {
  std::string folder;  // absolute
  std::string tag;     // unlike that of any other
  bool is_writable = false;
  friend bool operator==(const Share&, const Share&) = default;
};
std::string word(const Share& value);  // "/srv/data:data,rw"
std::optional<Share> share_from(std::string_view word);
// In place of the one that has its tag.
void add_share(std::vector<Share>& shares, Share share);

struct Hardware {
  std::uint64_t memory_bytes = 0;
  unsigned cpus = 1;
  Firmware firmware = Firmware::bios;
  SecureBoot secure_boot = SecureBoot::off;
  MachineType machine = MachineType::q35;
  Bus bus = Bus::virtio;
  Network network;
  std::optional<Nic> nic;  // the card that its system surely has a driver for; null: what goes with the bus (nic_of)
  std::string cpu;         // model and flags; empty: what suits the accelerator
  Clock clock = Clock::utc;
  bool hyperv = false;             // the interfaces by which Windows knows that it is a guest, where KVM runs it
  bool tpm = false;                // a TPM 2.0, whose memory is the machine's and not a state's
  std::vector<std::string> disks;  // besides its own, which it can only read: absolute paths
  std::optional<Disc> iso;
  std::vector<PortForward> forwards;  // by a network of QEMU's own: isolated or nat
  std::vector<Share> shares;
  std::string mac;                   // "52:54:00:…", drawn once, kept
  std::vector<std::string> because;  // why firmware, bus and sizes are what they are
  friend bool operator==(const Hardware&, const Hardware&) = default;
};

enum class BaseKind { disk, image, folder, empty };  // empty: nothing was imported, the disk began without a byte
constexpr std::array<std::string_view, 4> words_of(BaseKind) { return {"disk", "image", "folder", "empty"}; }

// Of a disk raw, of an image any but those of a folder: "folder", with layers, and "direct", where the guest writes to
// it.
enum class BaseFormat { raw, qcow2, folder, direct, vdi, vpc, vhdx, vmdk };
constexpr std::array<std::string_view, 8> words_of(BaseFormat) {
  return {"raw", "qcow2", "folder", "direct", "vdi", "vpc", "vhdx", "vmdk"};
}

// The base as it was at import: it is found by this, not by its path. A machine has one for each of its disks; of a
// disk that began empty it holds the size only.
struct BaseIdentity {
  std::string path;         // as imported: "/dev/sda", "/images/debian.img"
  std::string stable_path;  // what the layers' headers name
  BaseKind kind = BaseKind::disk;
  BaseFormat format = BaseFormat::raw;
  std::uint64_t size_bytes = 0;  // as the guest sees it; 0 of a folder
  block::SectorSizes sectors;
  std::string model, serial, wwn;           // empty where unknown
  std::string table_uuid;                   // empty without a table
  std::vector<std::string> former_paths{};  // where it lay before: what older layers' headers name
  std::string sha256;                       // of everything, taken by import --hash; empty otherwise
  bool is_folder() const { return kind == BaseKind::folder; }
  bool is_empty() const { return kind == BaseKind::empty; }
  bool is_direct() const { return format == BaseFormat::direct; }
  friend bool operator==(const BaseIdentity&, const BaseIdentity&) = default;
};

// One observation of the base: what was looked at ("p3 ext4 superblock"), and what it was. Equal marks, equal base, as
// far as a look that is cheap enough for every boot can show.
struct Mark {
  std::string what;
  std::string value;
  friend bool operator==(const Mark&, const Mark&) = default;
};
struct Fingerprint {
  base::Time taken{};
  std::vector<Mark> marks;
  // What any write moves, and what does not tell what was written: a file's times, a disk's count of written sectors.
  std::vector<Mark> traces{};
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// A file of a layer as it was when it was frozen: nobody has a reason to write to it since.
struct FrozenFile {
  std::uint64_t size_bytes = 0;
  std::string modified;  // "2026-03-01T12:00:00Z + 123456789 ns"
  std::string tables;    // a hash of its header, L1 table and refcount table
  std::string sha256{};  // of all of it; empty: nobody asked for that
  friend bool operator==(const FrozenFile&, const FrozenFile&) = default;
};

// A layer is named by the id it was drawn with: layers/<id>.qcow2, or layers/<id>.folder on a folder. Of a machine with
// several disks it is a file for each: layers/<id>-1.qcow2 is the second disk's. NVRAM files alike: nvram/<id>.fd.
struct State {
  std::string layer;
  std::optional<std::string> nvram;  // null until the first boot by UEFI makes one
  Hardware hardware;
  std::optional<std::string> head;  // the snapshot it lies on; null: on the base
  friend bool operator==(const State&, const State&) = default;
};

// The same layer's file of another disk: ".../ID.qcow2" → ".../ID-1.qcow2".
std::filesystem::path of_disk(const std::filesystem::path& layer, std::size_t disk);

// What the filesystems of a snapshot are like: those of a machine that stood still, of a guest that had them at rest
// for it, as a power cut would have left them, or as the guest has them that the snapshot's memory holds.
enum class Consistency { stopped, frozen, crash, memory };
constexpr std::array<std::string_view, 4> words_of(Consistency) { return {"stopped", "frozen", "crash", "memory"}; }

// A guest's memory and devices as they were while it ran, in memory/<id>: QEMU's migration stream.
struct SavedMemory {
  std::string id;
  std::uint64_t size_bytes = 0;  // of the file
  std::string machine_type;      // as QEMU names it with its version: "pc-q35-7.2"
  std::vector<Mark> needs;       // what has to be the same where it is to go on: "memory", "device disk0"
  std::string sha256{};          // of the file; empty: an older hrvm saved it
  friend bool operator==(const SavedMemory&, const SavedMemory&) = default;
};

// One whose name was given up stays as a node without one while several things lie on it, for their sake, and while a
// step of the log holds it for undo: it has what nameless() gives in place of a name, which is no snapshot's, and which
// nobody is shown.
struct Snapshot {
  std::string name;
  std::optional<std::string> parent;
  base::Time created{};
  std::string description;
  std::string layer;                 // frozen
  std::optional<std::string> nvram;  // frozen
  Hardware hardware;
  Consistency consistency = Consistency::stopped;
  bool is_auto = false;                 // made by --auto: for retention to remove
  std::optional<SavedMemory> memory{};  // its guest can go on from here
  bool is_nameless() const { return name.starts_with('~'); }
};
std::string nameless(std::string_view layer);  // "~00000000000000c1"

// A snapshot of the running machine that is being made (pending_snapshot.hpp). Its guest writes to the active layer
// until QEMU has switched to this one, and to this one from then on.
struct PendingSnapshot {
  std::string name;
  base::Time created{};
  std::string description;
  std::string layer;                 // that is to be active, on what is so now
  std::optional<std::string> nvram;  // the snapshot's: a copy of what the guest goes on with
  bool is_auto = false;
};

// Something that was done with the machine. It can hold what the machine was until then.
struct Step {
  std::uint64_t number = 0;   // they count up from 1
  base::Time when{};          // the epoch itself: unknown, in a machine of an older hrvm
  std::string what;           // "reset", "snapshot create fresh"
  bool is_undo = false;       // what it holds was undone: another undo goes past it
  std::optional<State> held;  // what was active until then, and can be brought back
  bool is_empty = false;      // nothing was written to the layer of what it holds
  // Snapshots whose names it took, as they were but for what they lie on: that the nodes tell that stay in their place.
  std::vector<Snapshot> deleted{};
  std::vector<std::string> restored{};  // an undo's: the layers of the snapshots that it gave their names back
  bool holds_something() const { return held || !deleted.empty(); }
  bool can_be_undone() const { return holds_something() || !restored.empty(); }
};

struct Definition {
  base::Guid uuid;
  base::Time created{};
  std::string description;
  std::string system;          // "Proxmox VE 8.1.4 (Debian 12)"; empty where none was found
  bool autostart = false;      // the host is to boot it when it starts
  bool auto_snapshot = false;  // a timer is to make snapshots of it, and prune them
  // The bases of its disks, in the order in which the guest has them: it boots from the first, and has at least that.
  std::vector<BaseIdentity> disks = std::vector<BaseIdentity>(1);
  image::Geometry geometry;  // of every layer
  State active;
  std::vector<Step> log;            // the oldest first
  std::vector<Snapshot> snapshots;  // parents before children
  std::optional<PendingSnapshot> pending{};
  std::map<std::string, Fingerprint> fingerprints;  // by layer id, for each layer that lies on the base itself
  // By layer id, a file for each disk: of the layers of snapshots. None of a folder's layers, nor of those that an
  // older hrvm froze.
  std::map<std::string, std::vector<FrozenFile>> frozen{};
  // Of the folder that the machine was made in, which a copy of the machine does not lie in; 0: unknown. The store sets
  // it with the first commit.
  std::uint64_t folder_inode = 0;

  // The steps that hold a state.
  std::vector<const Step*> held_steps() const;
  // The step that holds the node without a name that this layer is of; nullptr: it is there for what lies on it alone.
  const Step* holder_of(std::string_view layer) const;
  const Snapshot* find_snapshot(std::string_view name) const;
  // The first with a name from this one on down, as people are told it; nullopt for the base.
  std::optional<std::string> named(const std::optional<std::string>& snapshot) const;
  // Layer ids from `state`'s own down to the one that lies on the base. One way through the snapshots.
  std::vector<std::string> chain(const State& state) const;
  // The frozen layer that a state or snapshot lies on; nullopt for the base.
  std::optional<std::string> layer_below(const std::optional<std::string>& snapshot_name) const;
  // How large a disk was when the layer at the bottom of a chain was made: a reset takes it as it is then.
  std::uint64_t disk_bytes(const std::string& bottom_layer, std::size_t disk) const;
  bool is_on_folder() const { return disks.front().is_folder(); }  // then it has no other disk
  bool is_direct() const { return disks.front().is_direct(); }
  std::string layer_name(const std::string& id, std::size_t disk = 0) const;
  std::string layer_file(const std::string& id, std::size_t disk = 0) const { return "layers/" + layer_name(id, disk); }
  // Everything it names, as paths relative to the machine's folder: "layers/….qcow2", "nvram/….fd".
  std::vector<std::string> files() const;
};

base::Json to_json(const Fingerprint& fingerprint);
Fingerprint fingerprint_from_json(const base::Json& json, const std::string& file);

base::Json to_json(const Definition& definition);
// Everything is checked: types, names, that parents exist and make a tree, that ids are ids. Error{corrupt} names
// `file` and the member that is wrong.
Definition definition_from_json(const base::Json& json, const std::string& file);

bool is_machine_name(std::string_view text);   // [a-z0-9][a-z0-9._-]{0,62}, and not "." or ".."
bool is_snapshot_name(std::string_view text);  // [A-Za-z0-9][A-Za-z0-9._:-]{0,62}
// "My Host.example" → "my-host.example"; empty when nothing is left.
std::string derive_machine_name(std::string_view text);

}  // namespace hrvm::machine
