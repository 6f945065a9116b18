// Entries of the Boot Loader Specification (uapi-group.org, "Type #1"): one small file each in loader/entries, as
// systemd-boot and the GRUB of Fedora's family read them; and loader.conf, which chooses among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/boot/boot_entry.hpp"
#include "probe/boot/grub_words.hpp"

namespace hrvm::probe {

struct BlsEntry {
  BootEntry entry;  // its id is the file's name without ".conf" and without the counter of tries
  std::string sort_key, machine_id;
  std::string release;  // by which it is ordered where that is not the kernel's version
  bool is_bad = false;  // no tries are left
};

BlsEntry parse_bls(std::string_view text, std::string_view file_name);

// As systemd-boot shows them: by sort key, newest first, those without a key behind, bad ones last. The first that
// `pattern` (of loader.conf's `default`) fits is the default, else the first of all.
std::vector<BootEntry> order_as_systemd_boot(std::vector<BlsEntry> entries, std::string_view pattern);

// As GRUB's blscfg shows them: newest first by the file's name; what it knows as variables is replaced.
std::vector<BootEntry> order_as_grub(std::vector<BlsEntry> entries, const GrubVariables& variables);

// `default` of loader.conf; empty where it says nothing, or what only the firmware's variables know ("@saved").
std::string parse_loader_conf(std::string_view text);

}  // namespace hrvm::probe
