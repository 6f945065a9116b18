// Traces: evidence that a base was written to, which does not tell what was written.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "hrvm/machine/definition.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::machine {

// "2026-03-01T12:00:00Z + 123456789 ns".
std::string time_text(std::chrono::sys_time<std::chrono::nanoseconds> time);

// Of image files "/images/web.img: modified" and "/images/web.img: changed" (st_ctime, which nobody can set back); of
// disks "write counter", where the kernel counts. Those of other disks than the first: "disk 2, write counter".
std::vector<Mark> read_traces(const sys::Host& host, const std::vector<probe::Disk>& bases);

}  // namespace hrvm::machine
