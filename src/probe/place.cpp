#include "probe/place.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/volume/volumes.hpp"
#include "probe/luks_tokens.hpp"
#include "probe/roles.hpp"
#include "probe/roots/find_systems.hpp"
#include "probe/settle_signature.hpp"
#include "probe/signature/own_structures.hpp"
#include "probe/spread_btrfs.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

bool holds_a_boot_folder(fs::FileSystem& files) {
  constexpr std::string_view folders[] = {"grub", "grub2", "loader", "extlinux"};
  return std::ranges::any_of(files.list("/"), [&](const fs::Entry& entry) {
    return entry.name.starts_with("vmlinuz-") ||
           (entry.kind == fs::FileKind::directory && std::ranges::find(folders, entry.name) != std::end(folders));
  });
}

// "System Reserved": where BIOS finds what starts Windows.
bool holds_windows_loader(fs::FileSystem& files) {
  return fs::exists(files, "/bootmgr") && fs::exists(files, "/Boot/BCD");
}

// Of a filesystem that was not closed. A reader that knows of no journal says that it is clean.
std::string_view what_is_told(fs::JournalState journal) {
  switch (journal) {
    case fs::JournalState::replayed:
      return "its journal was replayed in memory, and what is told is what a mount would show";
    case fs::JournalState::ignored:
      return "its journal was not replayed here: what is told may be older than what a machine finds";
    case fs::JournalState::clean:
      break;
  }
  return "a machine replays the journal in its own layer";
}

class Looking {
 public:
  Looking(Place& place, std::vector<base::Finding>& findings) : place_(place), findings_(findings) {}

  void run() {
    try {
      if (!place_.files) open();
      if (place_.files) look_at_files();
    } catch (const base::Error& error) {
      // What lies on a device that is not here has been reported.
      if (!place_.device && error.kind() == base::ErrorKind::not_found) return;
      const bool medium = error.kind() == base::ErrorKind::io;
      add(medium ? "unreadable" : "filesystem-damaged", Severity::error,
          fmt::format("what lies in it cannot be read: {}", error.message()),
          medium ? "the disk may be dying: copy it (ddrescue) before anything else" : "");
    }
  }

 private:
  void add(std::string id, Severity severity, std::string message, std::string remedy = {}) {
    findings_.push_back({std::move(id), severity, place_.name, std::move(message), std::move(remedy)});
  }

  void open() {
    auto settled = settle_signature(*place_.device);
    if (auto finding = second_signature(settled, place_.name)) findings_.push_back(std::move(*finding));
    place_.signature = std::move(settled.signature);
    name_array();
    place_.files = std::move(settled.files);
    if (place_.files || !place_.signature || is_spread(*place_.signature, *place_.device)) return;
    place_.files = fs::open_file_system(place_.signature->type, *place_.device);
    if (!place_.files) tell_closed();
  }

  // mdadm writes "(none):root" for an array of a computer that had no name then.
  void name_array() {
    constexpr std::string_view nobody = "(none):";
    if (place_.signature && place_.signature->type == "linux_raid_member" &&
        place_.signature->label.starts_with(nobody))
      place_.signature->label.erase(0, nobody.size());
  }

  // Linux refuses to mount it.
  void tell_unsound() {
    if (!place_.signature || place_.files->needs_recovery()) return;
    const bool is_ext =
        place_.signature->type == "ext4" || place_.signature->type == "ext3" || place_.signature->type == "ext2";
    if (is_ext && !told_size(place_.signature->type, *place_.device))
      add("filesystem-damaged", Severity::error,
          "its superblock does not match its checksum, and Linux does not mount it",
          "the machine's own layer can be repaired: start it from a rescue disc, and run e2fsck -f there");
  }

  void look_at_files() {
    tell_unsound();
    if (place_.is_esp) return look_into_esp();
    if (place_.is_seen_by_firmware && place_.signature->type == "vfat") look_for_loaders();
    place_.systems = find_systems(place_.name, *place_.files, findings_);
    place_.is_boot =
        place_.systems.empty() && (holds_a_boot_folder(*place_.files) || holds_windows_loader(*place_.files));
    if (place_.is_boot) place_.boot_kernels = kernels_in(*place_.files, "/");
    if (place_.files->needs_recovery())
      add("filesystem-unclean", Severity::note,
          fmt::format("its {} was not unmounted cleanly, or is mounted now; {}", place_.signature->type,
                      what_is_told(place_.files->journal())));
  }

  void look_for_loaders() {
    auto found = find_efi_loaders(*place_.files, place_.partition);
    place_.loaders = std::move(found.loaders);
    place_.other_loaders = std::move(found.others);
    place_.is_esp = place_.is_esp || !place_.loaders.empty() || !place_.other_loaders.empty();
  }

  std::string architectures_of_loaders() const {
    std::set<std::string> names;
    for (const OtherLoader& loader : place_.other_loaders)
      names.insert(loader.architecture == "x86" ? "32-bit x86" : loader.architecture);
    return base::join({names.begin(), names.end()}, " and ");
  }

  void look_into_esp() {
    look_for_loaders();
    if (!place_.loaders.empty()) return;
    const std::string others = place_.other_loaders.empty() ? "" : ", only for " + architectures_of_loaders();
    add("esp-without-loader", Severity::note, "the EFI system partition holds no boot loader for 64-bit x86" + others);
  }

  void tell_closed() {
    const Signature& signature = *place_.signature;
    const Container* container = find_container(signature.type);
    if (is_assembled(signature.type) || (container == nullptr && signature.usage != "filesystem")) return;
    if (signature.type == "exfat") return;  // of sticks and cards: no system has its root in one
    if (container && container->is_encrypted) return tell_encrypted(*container);
    const std::string name = container ? std::string(container->name) : signature.type;
    add("cannot-look-inside", Severity::note,
        fmt::format("{}: looking inside is not possible yet, so a system in it is not named", name));
  }

  void tell_encrypted(const Container& container) {
    add("encrypted", Severity::note,
        fmt::format(
            "{}{} keeps it encrypted: what lies in it is not named, and a machine asks for its key as the disk does",
            container.name, place_.signature->version));
    for (auto& finding : token_findings(read_luks_tokens(*place_.device), place_.name))
      findings_.push_back(std::move(finding));
  }

  // Its volumes are looked into, each for itself.
  static bool is_assembled(std::string_view type) {
    const auto all = volume::assemblers();
    return std::ranges::any_of(all, [&](const volume::Assembler& each) { return each.member_type == type; });
  }

  Place& place_;
  std::vector<base::Finding>& findings_;
};

}  // namespace

void look_into(Place& place, std::vector<base::Finding>& findings) { Looking(place, findings).run(); }

void look_at_files(Place& place, std::vector<base::Finding>& findings) { Looking(place, findings).run(); }

}  // namespace hrvm::probe
