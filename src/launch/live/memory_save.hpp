// The memory and devices of a guest that runs, on their way into a file. QEMU sends them as for a migration; the guest
// goes on meanwhile, and stands still for the end alone, when its disks can be switched.
//
// QEMU gives its locks on the layers up when all is sent, until it is told to go on: for that time nothing tells that
// the machine runs. So the machine's lock is held until it does, by a process that outlives this one; and where this
// one is killed, the guard has the guest go on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/full_hash.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/background.hpp"
#include "hrvm/sys/host.hpp"
#include "hrvm/sys/lock.hpp"
#include "hrvm/sys/socket.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::launch {

// Has a guest go on whose hrvm did not live to do so, where there is one.
void end_left_over_save(Qmp& qmp, const machine::Path& run_folder);

// Error{unsupported} with QEMU's reasons, where a device of it cannot be saved; Error{busy} of a guest that is paused.
void check_can_be_saved(Qmp& qmp, const std::string& name);

// Holds a machine's lock until its QEMU has its layers again or is gone, whatever becomes of this process.
class LockKeeper {
 public:
  LockKeeper(const machine::Path& layers, int machine_lock, pid_t qemu);
  LockKeeper(const LockKeeper&) = delete;
  LockKeeper& operator=(const LockKeeper&) = delete;
  ~LockKeeper();  // returns when that is so

 private:
  sys::Lifeline ours_, keepers_;
};

// What comes out of a socket, into a file. On a thread of its own: QEMU answers nobody while it waits to be read.
class MemoryFile {
 public:
  struct Into {
    machine::Path path;
    bool may_fill_store = false;
  };
  MemoryFile(const sys::Host& host, sys::UnixSocket from, Into into);
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile();  // it goes, unless it is kept

  std::uint64_t bytes() const { return bytes_; }
  std::string sha256() { return digest_.hex(); }  // once it has ended
  bool has_ended() const { return has_ended_; }
  // Error{refused} where the room in the store ended, Error{io} where it could not be written.
  void check() const;
  void sync() const;
  void keep() { is_kept_ = true; }

 private:
  void run();
  void read();
  void write(const std::string& bytes);
  void check_room();

  const sys::Host& host_;
  sys::UnixSocket from_;
  Into into_;
  sys::Fd fd_;
  machine::Sha256Stream digest_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::uint64_t checked_bytes_ = 0;
  std::atomic<bool> has_ended_ = false, is_given_up_ = false, has_failed_ = false;
  std::optional<base::Error> failure_;  // once has_failed_
  bool is_kept_ = false;
  std::thread thread_;
};

class MemorySave {
 public:
  // `memory_bytes`: the guest's. Once so much is sent, it is made to stand still for the rest.
  MemorySave(const sys::Host& host, Qmp& qmp, const machine::Path& run_folder, std::uint64_t memory_bytes,
             const MemoryFile::Into& into);
  MemorySave(const MemorySave&) = delete;
  MemorySave& operator=(const MemorySave&) = delete;
  ~MemorySave();  // the guest goes on

  // Until the guest stands still with all of its disks at rest. Error{refused} where the room ends, Error{interrupted}
  // by a signal, Error{external} with QEMU's reason.
  void copy(const sys::ProgressCallback& progress);
  // The rest; then the guest goes on.
  void finish();

  // When the guest was last seen to run before it stood still.
  std::chrono::steady_clock::time_point ran_until() const { return ran_until_; }
  // How large the file is, and its SHA-256. It is durable when this returns.
  struct Saved {
    std::uint64_t bytes = 0;
    std::string sha256;
  };
  Saved await_file();
  void keep() { file_->keep(); }

 private:
  void begin();
  void look(const sys::ProgressCallback& progress);
  void check_moves();
  void go_on();

  Qmp& qmp_;
  machine::Path run_folder_;
  std::uint64_t memory_bytes_;
  sys::Fd theirs_;
  std::optional<MemoryFile> file_;
  std::optional<sys::Lock> mark_;  // of a folder that is there while the guest may stand still
  std::string status_;             // of the migration, as QEMU calls it
  std::uint64_t seen_bytes_ = 0;
  std::chrono::steady_clock::time_point ran_until_{}, moved_{};
  bool is_begun_ = false, is_hurried_ = false;
};

}  // namespace hrvm::launch
