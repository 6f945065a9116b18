// BootEntry: what a boot loader's menu offers, read from its configuration. Plain data, as the loader would see it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hrvm::probe {

struct BootEntry {
  std::string title;  // as the menu shows it
  std::string id;     // by which a default is chosen; empty where it has none
  std::string
      volume;  // where its files lie: "uuid/…" or "label/…" of a filesystem, "place/…"; empty: where the menu lies
  std::string kernel;  // path there; empty for what is no Linux
  std::vector<std::string> initramfs;
  std::string command_line;
  std::string version;  // of the kernel, where the entry or its kernel's name says it
  bool is_default = false;
  bool is_chained = false;  // the kernel is a program of the firmware's, to which GRUB hands over
  unsigned profile = 0;     // of a kernel that is a unified image: which of its profiles starts
  std::vector<std::pair<std::string, std::string>> others = {};  // what else the entry says, by its keys
};

// "6.1.0-18-amd64" of "/boot/vmlinuz-6.1.0-18-amd64"; empty for a name without one.
std::string kernel_version(std::string_view kernel_path);

// Cuts a path at GRUB's device before it: "(uuid/3f1c)/boot/x" gives "uuid/3f1c" and "/boot/x".
std::pair<std::string, std::string> split_device(std::string_view path);

// Whether it looks like what uname -r says: "6.1.0-18-amd64", not "1" or "NixOS 24.05".
bool is_kernel_version(std::string_view text);

// Shell patterns as systemd-boot takes them, whatever the case: "*", "?", "[a-z]" without negation, and "\\".
bool matches_pattern(std::string_view text, std::string_view pattern);

// An entry of a hostile disk ends here: kernels take 2 KiB of command line, a few of them 4 KiB.
inline constexpr std::size_t longest_text = 8 << 10;
inline constexpr std::size_t most_entries = 8192;

}  // namespace hrvm::probe
