// Store: the folder that holds machines (hrvm-machine(5) has its shape).
//
//   STORE/NAME/layers/ID.qcow2       every layer, mode 0600, never renamed; its backing file is a sibling or the base
//   STORE/NAME/layers/ID-1.qcow2     the same layer of the machine's second disk
//   STORE/NAME/layers/ID.folder/     the same on a folder (folder_layer.hpp), mode 0700
//   STORE/NAME/nvram/ID.fd           UEFI variables
//   STORE/NAME/memory/ID             what a guest had in memory while it ran, mode 0600
//   STORE/NAME/tpm/                  what the machine's TPM remembers: one for all its states, as a chip would
//   STORE/NAME/generations/N.json    a definition
//   STORE/NAME/current               link to generations/N.json: one rename of it is the commit point of every change
//   STORE/NAME/tmp/ID/               throw-away layers, flock()ed while used
//   STORE/NAME/consoles/N.log        what runs printed on their serial lines, flock()ed while they last
//
// What `current`'s definition does not name is garbage, but for the last few generations; what it names and is missing
// is an error. A folder without `current` is an import that did not finish: it is no machine, and the next import
// removes it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/machine/definition.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/lock.hpp"

namespace hrvm::machine {

using sys::Path;

struct Machine {
  std::string name;
  Path folder;
  std::uint64_t generation = 0;
  Definition definition;

  Path layer_path(const std::string& id, std::size_t disk = 0) const {
    return folder / definition.layer_file(id, disk);
  }
  Path nvram_path(const std::string& id) const { return folder / "nvram" / (id + ".fd"); }
  Path memory_path(const std::string& id) const { return folder / "memory" / id; }
  Path tpm_folder() const { return folder / "tpm"; }
  Path consoles_folder() const { return folder / "consoles"; }
  Path active_layer() const { return layer_path(definition.active.layer); }
};

// The last ones stay, in case the one in force is damaged.
inline constexpr std::uint64_t generations_kept = 8;

// A machine's folder was copied: two machines are one to libvirt, to the network, and to whoever looks for a run by its
// UUID. Which is the copy is told by the inode of the folder that the definition names; else by whose oldest definition
// was written later, whatever times the copy was given.
struct Copy {
  std::string name, original;
};
class Store;
// Of machines of this name, or as the copy or original of another; empty: of all.
std::vector<Copy> find_copies(const Store& store, const std::string& name = {});

enum class RunState { stopped, running };

// By QEMU's lock on a layer, and nothing else.
RunState run_state(const Machine& machine);
// The layer that tells: the active one, or any other of the machine's. The guest of a snapshot that is being made
// writes to another one than the definition in force calls active.
std::optional<Path> written_layer(const Machine& machine);
// The same of all that lies in a folder.
std::optional<Path> written_layer(const Path& folder);
// The folders of this machine's throw-away layers: those that are in use, or those that nobody uses any more.
std::vector<Path> throw_away_folders(const Machine& machine, bool in_use);

// How far frozen layers are looked at: their size and time, or also a hash of their tables, which are read for it.
enum class Depth { headers, tables };

class Store {
 public:
  Store(const sys::Host& host, Path folder) : host_(host), folder_(std::move(folder)) {}
  const Path& folder() const { return folder_; }

  std::vector<std::string> names() const;  // of machines that have a `current`; sorted; a missing store has none
  // The same without a look into each folder: load() says not_found of one that is no machine.
  std::vector<std::string> folder_names() const;
  bool contains(const std::string& name) const;
  // Error{not_found} with did-you-mean, Error{corrupt} naming the file that is broken. Does not check that layers
  // exist.
  Machine load(const std::string& name) const;
  // Error{corrupt} naming the first file that the definition names and that is not there. What snapshots hold of their
  // guests' memory is not looked at: they are sound without it.
  void check_presence(const Machine& machine) const;
  // The same, and what is cheap to see of damage: the header of the active layer, size and time of frozen ones. At most
  // one file is read for each disk.
  void check_files(const Machine& machine) const;
  // The same for what one state needs: its layers down to the base, and its NVRAM. Each layer's header is held to the
  // definition, and a frozen layer to what it was (layers.hpp): with Depth::headers to its size and time alone.
  void check_files(const Machine& machine, const State& state, Depth depth = Depth::tables) const;

  // What a machine whose definition cannot be read can go back to: the newest older generation that can, and whose
  // files are there.
  struct OlderGeneration {
    std::uint64_t number = 0;
    std::vector<Path> unknown_layers;  // made since: it does not name them, so that the next change would remove them
  };
  std::optional<OlderGeneration> older_generation(const std::string& name) const;
  // Has it in force. The caller holds the machine's lock.
  void go_back(const std::string& name, const OlderGeneration& generation) const;

  // For a change: exclusive among hrvm's own processes. Error{busy} when another change is under way.
  sys::Lock lock(const std::string& name) const;
  // Makes an empty machine folder for an import, removing an unfinished one, and locks it. Error{exists} when taken.
  sys::Lock begin(const std::string& name) const;
  // Writes the definition as the next generation and switches `current` to it: the commit point. The bytes of the files
  // that it names are durable before; their names are made so here.
  Machine commit(const std::string& name, const Definition& definition) const;
  // Files and throw-away folders that nothing names and nobody uses. Never what is locked.
  std::vector<Path> garbage(const Machine& machine) const;
  // The caller holds the machine's lock.
  void collect_garbage(const Machine& machine) const;
  // Removes the throw-away folders of all machines that nobody uses: cheap enough for every command.
  void collect_throw_away() const;
  // Folders of imports that did not finish and of removals that did not end.
  std::vector<Path> unfinished() const;
  void collect_unfinished() const;

  void remove(const std::string& name) const;                               // atomically out of sight, then deleted
  void rename(const std::string& name, const std::string& new_name) const;  // Error{exists}

  std::string new_id() const;  // for a layer or NVRAM file: 16 hex digits, never reused

 private:
  const sys::Host& host_;
  Path folder_;
};

// STORE for this user: /var/lib/hrvm for root, $XDG_DATA_HOME/hrvm (~/.local/share/hrvm) else.
Path default_store(const sys::Host& host);
// Where a machine that runs has its sockets: /run/hrvm/UUID for root, $XDG_RUNTIME_DIR/hrvm/UUID else. Where there is
// no such folder of this user's, /tmp/hrvm-UID/UUID, or, where that belongs to somebody else, ~/.cache/hrvm/run/UUID.
Path run_folder(const sys::Host& host, const Definition& definition);

}  // namespace hrvm::machine
