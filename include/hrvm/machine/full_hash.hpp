// A SHA-256 of all of a disk, which can take hours: where it is cut off it goes on later, as long as nothing shows that
// the disk was written to since.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

// How far it has come is kept in `note`, for the next call with the same disk. `now`: the disk's fingerprint, taken
// just before. It goes on only where that is equal to the one of the call that was cut off, and the traces that a write
// leaves tell that there was none; else it begins anew. Where the note cannot be written, it begins anew as well.
// Error{unsupported} for a folder.
std::string hash_base_on(const sys::Host& host, const probe::Disk& base, const Fingerprint& now, const Path& note,
                         const sys::ProgressCallback& progress);

// STORE/NAME/hashing/N, of the machine's disk of that number.
Path hashing_note(const Machine& machine, std::size_t disk);

std::string sha256_of(std::string_view text);

// Of what comes piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  ~Sha256Stream();
  void add(std::span<const std::byte> bytes);
  std::string hex();  // of all of it; it begins anew then

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hrvm::machine
