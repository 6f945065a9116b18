// What a system needs drivers for: the buses and the network cards that a machine can have, and how one sees whether
// a system has them.
#pragma once

#include <array>
#include <string_view>

#include "hrvm/base/words.hpp"

namespace hrvm::probe {

using base::from_word;
using base::word;

// What a machine's disk hangs on.
enum class Bus { virtio, sata, nvme, scsi, ide };
constexpr std::array<std::string_view, 5> words_of(Bus) { return {"virtio", "sata", "nvme", "scsi", "ide"}; }

enum class Nic { virtio, e1000e, e1000, rtl8139 };
constexpr std::array<std::string_view, 4> words_of(Nic) { return {"virtio-net", "e1000e", "e1000", "rtl8139"}; }

// Whether a system has a driver.
enum class Verdict { unknown, yes, no };
constexpr std::array<std::string_view, 3> words_of(Verdict) { return {"unknown", "yes", "no"}; }

}  // namespace hrvm::probe
