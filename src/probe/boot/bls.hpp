// Entries of the Boot Loader Specification (uapi-group.org, "Type #1"): one small file each in loader/entries, as
// systemd-boot and the GRUB of Fedora's family read them; and loader.conf, which chooses among them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/boot/boot_entry.hpp"
#include "probe/boot/grub_words.hpp"

namespace hrvm::probe {

// What an entry starts: a kernel, or a program of the firmware's, which may be a unified kernel image.
enum class BlsProgram { none, linux, efi, uki, uki_url };

struct BlsEntry {
  BootEntry entry;        // its id is the file's name without ".conf" and without the counter of tries
  std::string file_name;  // without ".conf", by which GRUB knows and orders it
  BlsProgram program = BlsProgram::none;
  std::string sort_key, machine_id;
  std::string version;  // by which it is ordered; of the kernel is entry.version
  std::string architecture;
  std::optional<unsigned> tries_left;  // where it is counted; none are left of a bad one
  unsigned tries_failed = 0;
  std::optional<unsigned> profile;  // of a unified kernel image
  std::string image_id;             // of an entry for one profile of it: the image's own id
};

// All keys of the specification as of June 2026. What has no member of its own is kept in entry.others.
BlsEntry parse_bls(std::string_view text, std::string_view file_name);

// Whether systemd-boot shows it on this machine: it starts something here, and is for x86-64.
bool is_shown(const BlsEntry& bls);

// What loader.conf chooses, as patterns of ids; empty where it says nothing, or what only the firmware's variables know
// ("@saved").
struct LoaderConf {
  std::string preferred;  // among those that are not bad
  std::string chosen;     // `default`
};
LoaderConf parse_loader_conf(std::string_view text);

// As systemd-boot shows them: by sort key, newest first, those without a key behind, bad ones last. The first that
// loader.conf's pattern fits is the default, else the first of all that has a kernel or is no other system's loader.
std::vector<BootEntry> order_as_systemd_boot(std::vector<BlsEntry> entries, const LoaderConf& conf);

// As GRUB's blscfg shows them: newest first by the file's name; what it knows as variables is replaced.
std::vector<BootEntry> order_as_grub(std::vector<BlsEntry> entries, const GrubVariables& variables);

}  // namespace hrvm::probe
