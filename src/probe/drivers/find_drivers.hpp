// Whether a kernel finds its root on a disk of each bus that a machine can have: are the bus's drivers in the kernel,
// or in the initramfs that is loaded with it?
#pragma once

#include <string>
#include <vector>

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/initramfs/initramfs.hpp"

namespace hrvm::probe {

struct KernelAndInitramfs {
  fs::FileSystem* root = nullptr;      // the system's; null where it cannot be looked into
  fs::FileSystem* boot = nullptr;      // where kernel and initramfs lie
  std::string version;                 // of the kernel; empty where it is not known
  std::vector<std::string> initramfs;  // paths in `boot`, loaded one after the other
  std::string boot_prefix;             // "/boot" where `boot` is mounted there; for messages
  unsigned profile = 0;                // of an initramfs that lies in a unified image
};

struct DriverSearch {
  std::vector<DriverEvidence> buses;  // virtio, scsi, sata, nvme, ide
  std::vector<NicEvidence> nics;      // as in System
  Initramfs initramfs;                // of all files together; no more than configuration for less than a full search
};

enum class Unpacking {
  none,
  beginning,  // what an initramfs is told of the start lies before its modules; nothing is said of these
  full,
};
// What cannot be read leaves verdicts unknown.
DriverSearch find_drivers(const KernelAndInitramfs& kernel, Unpacking unpacking);

}  // namespace hrvm::probe
