// The lines that make a disk of a file that is none: each can be pasted, writes to names that are not taken, and
// imports what comes out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hrvm::probe {

// `path` and `ending`, with a number between them where there is a file of that name.
std::string free_name(const std::string& path, std::string_view ending);

// By the format that is named, never by QEMU's own guess: what a guest wrote could decide that.
std::string qemu_conversion(const std::string& from, std::string_view format, const std::string& to);

// "convert it, and import what comes out: qemu-img convert …"
std::string convert(const std::string& path, std::string_view format);
// Of a VHDX whose log is not empty, which qemu-img converts no more than we read it.
std::string close_vhdx(const std::string& path);
// `command`: what unpacks to its standard output.
std::string unpack(const std::string& path, std::string_view command);
// `command`: what unpacks an archive; in it {0} stands for the archive, {1} for a folder that is not there yet.
std::string extract(const std::string& path, std::string_view command);
// An appliance, a tar archive with these disks in it.
std::string extract_appliance(const std::string& path, const std::vector<std::string>& disks);
// The parts of a split file, "PREFIX.001" and so on.
std::string put_together(const std::string& prefix);

}  // namespace hrvm::probe
