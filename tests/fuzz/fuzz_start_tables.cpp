// fstab, crypttab and a kernel's command line made of the fuzzer's bytes, and the names of devices in them.
#include <cstddef>
#include <cstdint>
#include <string>

#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/hazards/tables.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  test::MemoryFiles root;
  root.add("/etc/fstab", text);
  probe::Contents contents;
  contents.sets = {{probe::VolumeKind::md, "3f1c9e5d", "md:0", true, {}, {}}};
  for (const auto& mount : probe::awaited_mounts(root))
    probe::locate_device(probe::parse_device_name(mount.what), contents);
  for (const auto& device : probe::encrypted_devices(probe::parse_table(text)))
    probe::locate_device(probe::parse_device_name(device.device), contents);
  const auto line = probe::parse_command_line(text);
  for (const auto& name : {line.root, line.resume}) probe::locate_device(probe::parse_device_name(name), contents);
  return 0;
}
