#include "probe/disk/conversion.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::probe {
namespace {

using base::shell_quote;

bool is_taken(const std::string& path) { return sys::link_status(path).type != sys::FileType::missing; }

// What an appliance's disk is, by the name that its description has for it; empty where that is no format of QEMU's.
std::string_view format_of(std::string_view disk) {
  const auto name = base::lower(disk);
  if (name.ends_with(".vmdk")) return "vmdk";
  if (name.ends_with(".vhd")) return "vpc";
  if (name.ends_with(".vhdx")) return "vhdx";
  return name.ends_with(".vdi") ? "vdi" : "";
}

std::string import_of(const std::vector<std::string>& images) {
  std::string line = "hrvm import " + shell_quote(images.front());
  for (std::size_t i = 1; i < images.size(); ++i) line += " --disk " + shell_quote(images[i]);
  return line;
}

}  // namespace

std::string free_name(const std::string& path, std::string_view ending) {
  auto name = fmt::format("{}{}", path, ending);
  constexpr unsigned most = 100;
  for (unsigned number = 2; is_taken(name) && number <= most; ++number)
    name = fmt::format("{}-{}{}", path, number, ending);
  return name;
}

std::string qemu_conversion(const std::string& from, std::string_view format, const std::string& to) {
  return fmt::format("qemu-img convert -f {} -O qcow2 {} {}", format, shell_quote(from), shell_quote(to));
}

std::string convert(const std::string& path, std::string_view format) {
  const auto to = free_name(path, ".qcow2");
  return fmt::format("convert it, and import what comes out: {} && {}", qemu_conversion(path, format, to),
                     import_of({to}));
}

std::string close_vhdx(const std::string& path) {
  const auto copy = free_name(path, ".vhdx"), quoted = shell_quote(copy);
  return fmt::format(
      "write its log into a copy, and import that: cp --reflink=auto {0} {1} && "
      "qemu-img check -q -r all -f vhdx {1} && {2}",
      shell_quote(path), quoted, import_of({copy}));
}

std::string unpack(const std::string& path, std::string_view command) {
  const auto to = free_name(path, ".raw");
  return fmt::format("unpack it, and import what comes out: {} {} > {} && {}", command, shell_quote(path),
                     shell_quote(to), import_of({to}));
}

std::string extract(const std::string& path, std::string_view command) {
  const auto folder = free_name(path, ".d");
  return fmt::format("unpack it, look at what comes out, and import the image in it: {} && hrvm discover {}/*",
                     fmt::format(fmt::runtime(command), shell_quote(path), shell_quote(folder)), shell_quote(folder));
}

std::string extract_appliance(const std::string& path, const std::vector<std::string>& disks) {
  const auto folder = free_name(path, ".d");
  auto line = fmt::format("mkdir {1} && tar -xf {0} -C {1}", shell_quote(path), shell_quote(folder));
  std::vector<std::string> images;
  for (const auto& disk : disks) {
    const auto format = format_of(disk);
    const auto from = folder + "/" + disk;
    images.push_back(format.empty() ? from : from + ".qcow2");
    if (!format.empty()) line += " && " + qemu_conversion(from, format, images.back());
  }
  return fmt::format("unpack it, convert its disk, and import that: {} && {}", line, import_of(images));
}

std::string put_together(const std::string& prefix) {
  const auto to = free_name(prefix, ".raw");
  return fmt::format("put the parts together, and import what comes out: cat {}.[0-9][0-9][0-9] > {} && {}",
                     shell_quote(prefix), shell_quote(to), import_of({to}));
}

}  // namespace hrvm::probe
