// Boot loaders' configurations made of the fuzzer's bytes: grub.cfg with its environment, entries of the Boot Loader
// Specification, SYSLINUX's file; and the command lines that they give. What else decides which system starts is made
// of them as well: fstab, the links of deployments, names of slots, versions, patterns.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/text.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/packages/compare_versions.hpp"
#include "probe/roots/assemble_systems.hpp"
#include "probe/roots/system_states.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;

namespace {

// A root of which parts lie elsewhere, and one that is a deployment.
void read_systems(const std::string& text) {
  test::MemoryFiles root, usr, tree;
  const auto line = text.substr(0, text.find('\n'));
  root.add("/etc/fstab", text).add("/etc/rauc/system.conf", text).add("/etc/mender/mender.conf", text);
  root.add("/boot/loader/entries/a.conf", text).add("/etc/os-release", text);
  usr.add("/lib/os-release", text);
  tree.add("/ostree/deploy/a/deploy/b.0/usr/lib/os-release", text).link("/ostree/boot.1/a/b/0", line);
  tree.add("/boot/loader/entries/b.conf", text).link("/nix/var/nix/profiles/system-1-link", line);
  probe::Contents contents;
  std::vector<probe::BootPlace> places;
  for (test::MemoryFiles* files : {&root, &usr, &tree}) {
    probe::SurveyedPartition partition;
    partition.partition.number = unsigned(places.size() + 1);
    partition.partition.name = partition.label = line;
    places.push_back({"p" + std::to_string(places.size() + 1), "", line, false, files});
    contents.partitions.push_back(std::move(partition));
  }
  const auto menus = probe::read_boot_menus(places);
  probe::SystemTrees trees(places, contents);
  const auto roots = probe::assemble_systems(contents, trees, menus);
  probe::add_states(contents, trees, roots, menus);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  test::MemoryFiles files;
  files.add("/boot/grub/grub.cfg", text).add("/boot/grub/grubenv", text).add("/boot/extlinux.conf", text);
  files.add("/boot/loader/entries/" + base::printable(text.substr(0, 16)) + ".conf", text);
  files.add("/loader/entries/a.conf", text).add("/loader/loader.conf", text);
  const auto half = std::string_view(text).substr(0, size / 2), rest = std::string_view(text).substr(size / 2);
  probe::matches_pattern(half, rest);
  for (const auto compare : {probe::compare_rpm_versions, probe::compare_grub_packages, probe::compare_uapi_versions})
    if ((compare(half, rest) < 0) != (compare(rest, half) > 0) || compare(half, half) != 0) std::abort();
  read_systems(text);
  const probe::BootPlace places[] = {{"p1", "1", "", true, &files}};
  for (const auto& menu : probe::read_boot_menus(places))
    for (const auto& entry : menu.entries) {
      const auto line = probe::parse_command_line(entry.command_line);
      probe::logical_volume_of(probe::parse_device_name(line.root).name);
      probe::place_of(entry, menu, places);
    }
  return 0;
}
