// An NTFS volume as libntfs-3g opens it. Nothing is mounted: the log is not replayed, $MFTMirr, $UpCase and $Secure are
// not read, so what a crash has left of a volume can be looked at too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fs/ntfs/file.hpp"
#include "fs/ntfs/source.hpp"

namespace hrvm::fs::ntfs {

class Volume {
 public:
  // Error{corrupt} when it cannot be opened.
  explicit Volume(block::BlockDevice& device);

  _ntfs_volume* library() const { return volume_.get(); }
  block::BlockDevice& device() { return source_.device(); }
  // It is marked as dirty, or its log is not closed.
  bool needs_recovery() const { return needs_recovery_; }

  // Each task of libntfs-3g's begins here, and says how many bytes it is to give: what it reads is bounded by them.
  void begin(std::uint64_t bytes = 0);

  // Begins a task as well. The files that were opened last stay open. Error{not_found} for a node that leads to none.
  std::shared_ptr<File> open(Node node);

  // Why the task failed: what the device said, or else what libntfs-3g did by errno.
  base::Error broken(std::string what, int cause);
  base::Error cannot_read(Node node, int cause);
  base::Error not_there(Node node, std::string_view why);  // "is no folder"
  base::Error unreadable(Node node, std::string_view why);

 private:
  std::string describe(Node node);
  void keep(std::shared_ptr<File> file);
  bool read_version();
  bool has_log_to_replay();

  NtfsSource source_;
  VolumeHandle volume_;
  bool needs_recovery_ = false;
  std::vector<std::shared_ptr<File>> open_;  // the last one was asked for last; closed before the volume
};

}  // namespace hrvm::fs::ntfs
