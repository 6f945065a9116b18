#include "hrvm/launch/firmware.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "hrvm/base/error.hpp"
#include "hrvm/base/json.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

using base::Json;

struct KnownPath {
  std::string_view code, variables;
};
// By how likely the pair is the distribution's own choice: 4 MiB before 2 MiB.
constexpr std::array known_paths{
    KnownPath{"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},          // Debian, Ubuntu
    KnownPath{"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},                // before 4 MiB; Alpine
    KnownPath{"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},      // Fedora
    KnownPath{"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},  // Arch
    KnownPath{"/usr/share/edk2/x64/OVMF_CODE.fd", "/usr/share/edk2/x64/OVMF_VARS.fd"},
    KnownPath{"/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"},
    KnownPath{"/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"},  // openSUSE
    KnownPath{"/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"},
    KnownPath{"/run/libvirt/nix-ovmf/edk2-x86_64-code.fd", "/run/libvirt/nix-ovmf/edk2-i386-vars.fd"},  // NixOS
    KnownPath{"/run/libvirt/nix-ovmf/OVMF_CODE.fd", "/run/libvirt/nix-ovmf/OVMF_VARS.fd"},
    KnownPath{"/usr/share/edk2/OvmfX64/OVMF_CODE.fd", "/usr/share/edk2/OvmfX64/OVMF_VARS.fd"},  // Gentoo
    KnownPath{"/usr/share/edk2-ovmf/OVMF_CODE.fd", "/usr/share/edk2-ovmf/OVMF_VARS.fd"},
    KnownPath{"/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"},  // QEMU's own
    KnownPath{"/usr/local/share/qemu/edk2-x86_64-code.fd", "/usr/local/share/qemu/edk2-i386-vars.fd"},
};

constexpr std::array<std::string_view, 3> unwanted_features{"secure-boot", "enrolled-keys", "requires-smm"};

std::vector<std::string> descriptor_folders(const sys::Host& host) {
  std::vector<std::string> folders;
  if (const auto config = host.variable("XDG_CONFIG_HOME"); config && config->starts_with('/')) {
    folders.push_back(*config + "/qemu/firmware");
  } else if (const auto home = host.variable("HOME")) {
    folders.push_back(*home + "/.config/qemu/firmware");
  }
  folders.insert(folders.end(), {"/etc/qemu/firmware", "/usr/share/qemu/firmware"});
  return folders;
}

// By file name, whatever the folder; a name in an earlier folder masks the same name in a later one.
std::map<std::string, std::string> descriptor_files(const sys::Host& host) {
  std::map<std::string, std::string> files;
  for (const auto& folder : descriptor_folders(host)) {
    for (const auto& name : sys::list_directory(host.path(folder))) {
      if (name.ends_with(".json")) files.try_emplace(name, folder + "/" + name);
    }
  }
  return files;
}

bool contains(const Json& list, std::string_view wanted) {
  return std::ranges::any_of(list.items(), [&](const Json& item) { return item.text() == wanted; });
}

bool matches(std::string_view glob, std::string_view machine) {
  if (glob.ends_with('*')) return machine.starts_with(glob.substr(0, glob.size() - 1));
  return glob == machine;
}

bool runs_on_q35(const Json& target) {
  const auto accepts = [](const Json& glob) {
    return matches(glob.text().value_or(""), "q35") || matches(glob.text().value_or(""), "pc-q35-7.2");
  };
  return target["architecture"].text() == "x86_64" && std::ranges::any_of(target["machines"].items(), accepts);
}

bool is_wanted(const Json& descriptor) {
  const Json& mapping = descriptor["mapping"];
  return contains(descriptor["interface-types"], "uefi") && mapping["device"].text() == "flash" &&
         mapping["mode"].text().value_or("split") == "split" && mapping.at_path("executable.format").text() == "raw" &&
         mapping.at_path("nvram-template.format").text() == "raw" &&
         std::ranges::any_of(descriptor["targets"].items(), runs_on_q35) &&
         std::ranges::none_of(unwanted_features,
                              [&](auto feature) { return contains(descriptor["features"], feature); });
}

std::optional<UefiFirmware> firmware_at(const sys::Host& host, std::string_view code, std::string_view variables,
                                        std::string source) {
  const auto code_file = sys::status(host.path(code)), variables_file = sys::status(host.path(variables));
  if (code_file.type != sys::FileType::regular || variables_file.type != sys::FileType::regular) return std::nullopt;
  return UefiFirmware{std::string(code), std::string(variables), variables_file.size_bytes, std::move(source)};
}

// A descriptor that is broken, empty or about something else describes nothing.
std::optional<UefiFirmware> described_by(const sys::Host& host, const std::string& file) {
  const auto text = sys::try_read_file(host.path(file));
  if (!text || text->empty()) return std::nullopt;
  try {
    const Json descriptor = base::parse_json(*text, file);
    if (!is_wanted(descriptor)) return std::nullopt;
    return firmware_at(host, descriptor.at_path("mapping.executable.filename").text().value_or(""),
                       descriptor.at_path("mapping.nvram-template.filename").text().value_or(""), file);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<UefiFirmware> uefi_firmwares(const sys::Host& host) {
  std::vector<UefiFirmware> found;
  const auto add = [&](std::optional<UefiFirmware> firmware) {
    const auto same_code = [&](const UefiFirmware& other) { return other.code_path == firmware->code_path; };
    if (firmware && std::ranges::none_of(found, same_code)) found.push_back(std::move(*firmware));
  };
  for (const auto& [name, file] : descriptor_files(host)) add(described_by(host, file));
  for (const auto& known : known_paths) add(firmware_at(host, known.code, known.variables, "known path"));
  return found;
}

std::optional<UefiFirmware> choose_uefi_firmware(const std::vector<UefiFirmware>& firmwares,
                                                 std::optional<std::uint64_t> nvram_bytes) {
  const auto fits = [&](const UefiFirmware& one) { return !nvram_bytes || one.template_bytes == *nvram_bytes; };
  const auto chosen = std::ranges::find_if(firmwares, fits);
  return chosen == firmwares.end() ? std::nullopt : std::optional(*chosen);
}

}  // namespace hrvm::launch
