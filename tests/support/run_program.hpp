// The programs that tests hold hrvm against, and make disks with: mke2fs, mtools, sfdisk, qemu-img. Looked up on PATH
// and in the sbin folders; each has 30 seconds.
#pragma once

#include <string>
#include <vector>

namespace hrvm::test {

using Words = std::vector<std::string>;

// What it printed. Throws, with what it said, when it fails or is not there.
std::string run_program(const Words& argv);
// False when it fails or is not there.
bool try_program(const Words& argv);
// With `input` on its standard input. Throws when it fails.
void feed_program(const Words& argv, const std::string& input);

}  // namespace hrvm::test
