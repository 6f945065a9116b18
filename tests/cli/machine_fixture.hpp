// MachineStore: a store with machines in it whose base is a small image, as import and the commands after it leave
// them.
//
//     test::MachineStore store;
//     store.add("web");
//     store.snapshot("web", "fresh");
//     CHECK(store.run({"snapshot", "list", "web"}) == 0);
//     CHECK(store.json()["head"] == "fresh");
//
// The base is 8 MiB: a GPT with one partition p1 that is full of the letter B.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/golden.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/sys/fd.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

namespace hrvm::test {

class MachineStore {
 public:
  // With the root of a recorded machine its disks can be bases.
  explicit MachineStore(std::filesystem::path root = "/");

  TestHost& host() { return host_; }
  machine::Store store() { return {host_.host(), folder_ / "store"}; }
  machine::Machine machine(const std::string& name) { return store().load(name); }
  const TemporaryDirectory& folder() const { return folder_; }
  std::filesystem::path base() const { return folder_ / "base.img"; }

  void add(const std::string& name, const std::string& sha256 = "");
  // On a disk of the recorded machine.
  void add_on_disk(const std::string& name, const std::string& disk);
  void snapshot(const std::string& name, const std::string& snapshot, const std::string& description = "");
  void revert(const std::string& name, const std::string& snapshot);

  // A guest's write of 4 KiB of this letter at an offset of the disk, into the active layer.
  void guest_writes(const std::string& name, std::uint64_t offset, char letter);
  // Somebody else's write to the base.
  void base_is_written(std::uint64_t offset, char letter);
  // Holds what QEMU holds of the machine's active layer while it runs.
  [[nodiscard]] sys::Fd runs(const std::string& name);

  // Runs hrvm on this store. Gives the exit status; what was printed is in host().out and host().err.
  int run(const std::vector<std::string>& words);
  // The same with --json; what was printed as Json, whatever the exit status.
  base::Json json(std::vector<std::string> words);
  // A transcript that shows the temporary folder as /T.
  Transcript transcript(const std::string& name);

 private:
  void add_on(const machine::BaseIdentity& base, const std::string& name);
  void change(const std::string& name, const machine::Change& change);

  TestHost host_;
  TemporaryDirectory folder_;
};

}  // namespace hrvm::test
