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

using machine::SecureBoot;

struct KnownPath {
  std::string_view code, variables;
  SecureBoot secure_boot = SecureBoot::off;
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
    KnownPath{"/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", SecureBoot::on},
    KnownPath{"/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", SecureBoot::blank},
    KnownPath{"/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.secboot.fd", SecureBoot::on},
    KnownPath{"/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd", SecureBoot::blank},
    KnownPath{"/usr/share/edk2/x64/OVMF_CODE.secboot.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd", SecureBoot::blank},
    KnownPath{"/usr/share/qemu/ovmf-x86_64-smm-ms-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-ms-vars.bin",
              SecureBoot::on},
    KnownPath{"/usr/share/qemu/ovmf-x86_64-smm-code.bin", "/usr/share/qemu/ovmf-x86_64-smm-vars.bin",
              SecureBoot::blank},
    KnownPath{"/usr/share/edk2-ovmf/OVMF_CODE.secboot.fd", "/usr/share/edk2-ovmf/OVMF_VARS.secboot.fd", SecureBoot::on},
};

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

// HOME may still be root's, in a shell that su began.
std::vector<std::string> names_in(const sys::Path& folder) {
  try {
    return sys::list_directory(folder);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::permission) throw;
    return {};
  }
}

// By file name, whatever the folder; a name in an earlier folder masks the same name in a later one.
std::map<std::string, std::string> descriptor_files(const sys::Host& host) {
  std::map<std::string, std::string> files;
  for (const auto& folder : descriptor_folders(host)) {
    for (const auto& name : names_in(host.path(folder)))
      if (name.ends_with(".json")) files.try_emplace(name, folder + "/" + name);
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
         std::ranges::any_of(descriptor["targets"].items(), runs_on_q35);
}

// nullopt for what makes no sense: keys that nothing checks, or SMM for nothing.
std::optional<SecureBoot> secure_boot_of(const Json& features) {
  const bool has_keys = contains(features, "enrolled-keys");
  if (contains(features, "secure-boot")) return has_keys ? SecureBoot::on : SecureBoot::blank;
  return has_keys || contains(features, "requires-smm") ? std::nullopt : std::optional(SecureBoot::off);
}

std::optional<UefiFirmware> firmware_at(const sys::Host& host, std::string_view code, std::string_view variables,
                                        std::string source, SecureBoot secure_boot) {
  const auto code_file = sys::status(host.path(code)), variables_file = sys::status(host.path(variables));
  if (code_file.type != sys::FileType::regular || variables_file.type != sys::FileType::regular) return std::nullopt;
  return UefiFirmware{std::string(code), std::string(variables), variables_file.size_bytes, std::move(source),
                      secure_boot};
}

// A descriptor that is broken, empty or about something else describes nothing.
std::optional<UefiFirmware> described_by(const sys::Host& host, const std::string& file) {
  const auto text = sys::try_read_file(host.path(file));
  if (!text || text->empty()) return std::nullopt;
  try {
    const Json descriptor = base::parse_json(*text, file);
    const auto secure_boot = secure_boot_of(descriptor["features"]);
    if (!secure_boot || !is_wanted(descriptor)) return std::nullopt;
    return firmware_at(host, descriptor.at_path("mapping.executable.filename").text().value_or(""),
                       descriptor.at_path("mapping.nvram-template.filename").text().value_or(""), file, *secure_boot);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<UefiFirmware> uefi_firmwares(const sys::Host& host) {
  std::vector<UefiFirmware> found;
  const auto add = [&](std::optional<UefiFirmware> firmware) {
    const auto same = [&](const UefiFirmware& other) {
      return other.code_path == firmware->code_path && other.secure_boot == firmware->secure_boot;
    };
    if (firmware && std::ranges::none_of(found, same)) found.push_back(std::move(*firmware));
  };
  for (const auto& [name, file] : descriptor_files(host)) add(described_by(host, file));
  for (const auto& known : known_paths)
    add(firmware_at(host, known.code, known.variables, "known path", known.secure_boot));
  return found;
}

std::optional<UefiFirmware> choose_uefi_firmware(const std::vector<UefiFirmware>& firmwares,
                                                 machine::SecureBoot secure_boot,
                                                 std::optional<std::uint64_t> nvram_bytes) {
  const auto fits = [&](const UefiFirmware& one) {
    return one.secure_boot == secure_boot && (!nvram_bytes || one.template_bytes == *nvram_bytes);
  };
  const auto chosen = std::ranges::find_if(firmwares, fits);
  return chosen == firmwares.end() ? std::nullopt : std::optional(*chosen);
}

}  // namespace hrvm::launch
