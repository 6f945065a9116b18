// Which of several signatures on a device counts. A mark may be left of what was there before, or lie in a file's
// content: what counts is whose own structures hold.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/signature.hpp"

namespace hrvm::probe {

struct SettledSignature {
  std::optional<Signature> signature;
  std::vector<FoundSignature> others;     // that do not count
  bool holds = true;                      // false where no structures do, and the first one stands for all
  std::unique_ptr<fs::FileSystem> files;  // of a filesystem that was opened to see whether it holds
};

// Where libblkid cannot tell, ZFS counts by a label at its front whose checksum fits its place. Then a filesystem
// counts that has the place of each other mark within it and can be read, and otherwise what libblkid settles for.
SettledSignature settle_signature(block::BlockDevice& device);

// "second-signature"; nullopt where there is no other. `subject`: the place.
std::optional<base::Finding> second_signature(const SettledSignature& settled, const std::string& subject);

}  // namespace hrvm::probe
