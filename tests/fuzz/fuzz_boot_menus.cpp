// Boot loaders' configurations made of the fuzzer's bytes: grub.cfg with its environment, entries of the Boot Loader
// Specification, SYSLINUX's file; and the command lines that they give.
#include <cstddef>
#include <cstdint>
#include <string>

#include "hrvm/base/text.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/boot/command_line.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  test::MemoryFiles files;
  files.add("/boot/grub/grub.cfg", text).add("/boot/grub/grubenv", text).add("/boot/extlinux.conf", text);
  files.add("/boot/loader/entries/" + base::printable(text.substr(0, 16)) + ".conf", text);
  files.add("/loader/entries/a.conf", text).add("/loader/loader.conf", text);
  const probe::BootPlace places[] = {{"p1", "1", "", true, &files}};
  for (const auto& menu : probe::read_boot_menus(places))
    for (const auto& entry : menu.entries) {
      const auto line = probe::parse_command_line(entry.command_line);
      probe::logical_volume_of(probe::parse_device_name(line.root).name);
      probe::place_of(entry, menu, places);
    }
  return 0;
}
