// What an image file is, where that is not a raw or qcow2 image of a disk: findings beside what was read of it. Ids:
// foreign-container, not-a-disk, image-odd-size, vmdk-flat.
#pragma once

#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

void judge_image(const Disk& disk, Contents& contents);

}  // namespace hrvm::probe
