// Layers as they are, held to the definition: whether somebody else than hrvm and QEMU wrote to them. Folders' layers
// are left out: what is in them is files.
//
// A header is held to the definition: size of the disk, clusters, what lies below. A frozen layer is held to what it
// was when it was frozen: its size and time, and a hash of its header and tables; all of it where that was hashed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

// What is wrong with the layers of a state, each as an Error{corrupt} with what is still sound, the topmost first.
std::vector<base::Error> layer_faults(const Machine& machine, const State& state, Depth depth = Depth::tables);
// The same of every state of the machine, each layer once.
std::vector<base::Error> layer_faults(const Machine& machine);

// Error{corrupt} where what a snapshot holds of its guest's memory is missing, or of another size: it boots without it.
std::optional<base::Error> memory_fault(const Machine& machine, const Snapshot& snapshot);

// The layers of all states, each once.
std::vector<std::string> all_layers(const Machine& machine);

// Whether the headers of this layer's files say what the definition says, whatever a merge may have left.
bool has_sound_headers(const Machine& machine, const std::string& layer);
// A layer's files as they are now; one for each disk.
std::vector<FrozenFile> frozen_files(const Machine& machine, const std::string& layer);
// SHA-256 of a file.
std::string hash_file(const Path& file, const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
