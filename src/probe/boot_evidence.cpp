#include "probe/boot_evidence.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/boot/disk_names.hpp"
#include "probe/boot/hidden_system.hpp"
#include "probe/boot/kernel_files.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/drivers/find_drivers.hpp"
#include "probe/hazards/hazards.hpp"
#include "probe/hazards/tables.hpp"
#include "probe/roots/deployments.hpp"

namespace hrvm::probe {
namespace {

constexpr unsigned most_unpacked = 4;

struct Choice {
  const BootMenu* menu = nullptr;
  const BootEntry* entry = nullptr;
};

// A place and what it is a root of: the filesystem itself, or one of its subvolumes.
struct OpenRoot {
  const BootPlace* place = nullptr;
  std::unique_ptr<fs::FileSystem> view;
  fs::FileSystem* whole = nullptr;  // with what is mounted in it
  fs::FileSystem* files() const { return whole ? whole : view ? view.get() : place ? place->files : nullptr; }
};

OpenRoot open_root(std::span<const BootPlace> places, const std::string& name) {
  for (const BootPlace& place : places) {
    if (place.name == name) return {&place, nullptr};
    if (!name.starts_with(place.name + ":") || place.files == nullptr) continue;
    for (const fs::Subvolume& subvolume : place.files->subvolumes())
      if (base::printable(place.name + ":" + subvolume.path) == name)
        return {&place, place.files->open_subvolume(subvolume.id)};
  }
  return {};
}

bool is_among(std::span<const Bus> buses, Bus bus) { return std::ranges::find(buses, bus) != buses.end(); }

// IDE disks are what BIOS machines have.
bool can_have(std::span<const Bus> buses, const Contents& contents) {
  return !buses.empty() && (buses.size() > 1 || buses.front() != Bus::ide || contents.boot.bios);
}

// A kernel that looks for its root by a disk's name finds it on the buses alone that give this name. One that was told
// hda had the drivers of that time, which are others than those by which IDE is judged.
void hold_to_root(System& system, const CommandLine& line, const Contents& contents) {
  const DeviceName root = parse_device_name(line.root);
  const DiskName* known = root.by == DeviceName::By::kernel_name ? find_disk_name(root.name) : nullptr;
  if (known == nullptr || !can_have(known->buses, contents)) return;
  system.named_buses.assign(known->buses.begin(), known->buses.end());
  system.named_by = fmt::format("the kernel is told root={}", line.root);
  for (DriverEvidence& driver : system.drivers) {
    if (!is_among(known->buses, driver.bus)) {
      driver.verdict = Verdict::no;
      driver.because = fmt::format("{}, and a {} disk has another name", system.named_by, word(driver.bus));
    } else if (known->prefix == "hd" && driver.verdict == Verdict::no) {
      driver.verdict = Verdict::unknown;
      driver.because = system.named_by + ", which is the name of an IDE disk to kernels before 5.14";
    }
  }
}

// Where the root is found by a name that stays, others that the start waits for may still go with the bus. They count
// as far as the system has the driver of such a bus.
void prefer_names(System& system, const std::string& name, std::string_view where, const Contents& contents) {
  const DeviceName device = parse_device_name(name);
  const DiskName* known = device.by == DeviceName::By::kernel_name ? find_disk_name(device.name) : nullptr;
  const bool is_here = known != nullptr && (is_of_first_disk(device.name, *known) || !contents.companions.empty());
  if (!is_here || !system.named_buses.empty()) return;
  for (const DriverEvidence& driver : system.drivers)
    if (driver.verdict == Verdict::yes && driver.bus != Bus::ide && is_among(known->buses, driver.bus))
      system.named_buses.push_back(driver.bus);
  if (!system.named_buses.empty()) system.named_by = fmt::format("{} names {}", where, name);
}

class Evidence {
 public:
  Evidence(Contents& contents, std::span<const BootPlace> places, BootQuestions questions,
           std::span<const BootMenu> menus, const std::deque<SystemRoot>& roots)
      : contents_(contents),
        places_(places),
        questions_(questions),
        unpacks_left_(questions == BootQuestions::all ? most_unpacked : 0),
        menus_(menus),
        roots_(roots) {}

  void run() {
    if (std::ranges::none_of(contents_.systems, is_own_linux)) add_hidden();
    for (System& system : contents_.systems)
      if (is_own_linux(system)) settle(system);
  }

 private:
  static bool is_own(const System& system) { return !system.inside; }
  static bool is_own_linux(const System& system) { return is_own(system) && system.family == SystemFamily::linux; }

  // ---- the entry ----

  std::string place_of_root(const BootEntry& entry) const {
    const CommandLine line = parse_command_line(entry.command_line);
    if (line.leaves_root_to_type()) return root_by_type(contents_);
    const std::string place = locate_device(parse_device_name(line.root), contents_);
    const std::string subvolume = subvolume_of(line, place);
    return place.empty() || subvolume.empty() ? place : place + ":" + subvolume;
  }

  // What is mounted of a place: by its path, its id, or by default. Empty where that is the top level, or not known.
  std::string subvolume_of(const CommandLine& line, const std::string& place) const {
    if (!line.subvolume.empty()) return line.subvolume;
    const auto is_meant = [&](const fs::Subvolume& each) {
      return line.subvolume_id ? each.id == *line.subvolume_id : each.is_default;
    };
    for (const BootPlace& each : places_) {
      if (each.name != place || each.files == nullptr) continue;
      const auto all = each.files->subvolumes();
      if (const auto found = std::ranges::find_if(all, is_meant); found != all.end())
        return base::printable(found->path);
    }
    return {};
  }

  // A system in a subvolume is one of its filesystem's, unless the entry names another.
  bool starts(const BootEntry& entry, const System& system) const {
    const CommandLine line = parse_command_line(entry.command_line);
    if (!system.folder.empty()) return leads_to(line, system);
    const auto colon = system.root.rfind(':');
    if (line.leaves_root_to_type())
      return !system.root.empty() && system.root.substr(0, colon) == root_by_type(contents_);
    const DeviceName device = parse_device_name(line.root);
    if (is_device(system.root, device, contents_)) return true;
    if (colon == std::string::npos || !is_device(system.root.substr(0, colon), device, contents_)) return false;
    const std::string subvolume = subvolume_of(line, system.root.substr(0, colon));
    return subvolume.empty() || subvolume == system.root.substr(colon + 1);
  }

  bool leads_to(const CommandLine& line, const System& system) const {
    if (!line.composefs.empty() && system.folder.ends_with("/" + line.composefs)) return true;
    const OpenRoot root = open_root(places_, system.root);
    return root.files() != nullptr && deployment_of(*root.files(), line.ostree) == system.folder;
  }

  template <typename Fits>
  Choice find_entry(Fits fits) const {
    for (const BootMenu& menu : menus_)
      for (const BootEntry& entry : menu.entries)
        if (!entry.kernel.empty() && fits(entry)) return {&menu, &entry};
    return {};
  }

  // The default where it starts this system, else the first that does. One whose root cannot be found is taken for the
  // only system's.
  Choice choose(const System& system) const {
    auto choice = find_entry([&](const BootEntry& entry) { return entry.is_default && starts(entry, system); });
    if (!choice.entry) choice = find_entry([&](const BootEntry& entry) { return starts(entry, system); });
    if (choice.entry || std::ranges::count_if(contents_.systems, is_own) > 1) return choice;
    const auto unknown = [&](const BootEntry& entry) {
      return parse_command_line(entry.command_line).root.empty() || place_of_root(entry).empty();
    };
    choice = find_entry([&](const BootEntry& entry) { return entry.is_default && unknown(entry); });
    return choice.entry ? choice : find_entry(unknown);
  }

  // ---- the kernel ----

  // Where an entry's files lie: where its loader looks, or, for paths that count from a subvolume, in the root.
  std::pair<const BootPlace*, fs::FileSystem*> files_of(const Choice& choice, const OpenRoot& root) const {
    const BootPlace* place = place_of(*choice.entry, *choice.menu, places_);
    if (place && place->files && fs::exists(*place->files, choice.entry->kernel)) return {place, place->files};
    if (root.files() && fs::exists(*root.files(), choice.entry->kernel)) return {root.place, root.files()};
    return {place, nullptr};
  }

  static std::string prefix_of(const BootPlace* place, const OpenRoot& root) {
    if (place == nullptr || place == root.place) return {};
    return place->is_esp ? place->name + ":" : "/boot";
  }

  KernelAndInitramfs kernel_of(const Choice& choice, const OpenRoot& root) const {
    const auto [place, files] = files_of(choice, root);
    KernelAndInitramfs kernel{root.files(),           files,
                              choice.entry->version,  choice.entry->initramfs,
                              prefix_of(place, root), choice.entry->profile};
    if (kernel.version.empty() && files)
      kernel.version = find_kernel_version(root.files(), *files, choice.entry->kernel, kernel.initramfs);
    return kernel;
  }

  // Without a menu: the newest kernel, and the initramfs beside it.
  KernelAndInitramfs newest_kernel(const System& system, const OpenRoot& root) const {
    KernelAndInitramfs kernel;
    kernel.root = root.files();
    if (!system.kernels.empty()) kernel.version = system.kernels.front();
    if (kernel.version.empty()) return kernel;
    const auto look = [&](fs::FileSystem* files, const std::string& folder, const std::string& prefix) {
      const auto path = kernel.boot || !files ? std::string() : find_initramfs(*files, folder, kernel.version);
      if (path.empty()) return;
      kernel.boot = files;
      kernel.initramfs = {path};
      kernel.boot_prefix = prefix;
    };
    look(root.files(), "/boot", "");
    for (const BootPlace& place : places_)
      if (!place.is_esp && &place != root.place) look(place.files, "", "/boot");
    return kernel;
  }

  // ---- the result ----

  BootConfiguration configuration(const Choice& choice, const OpenRoot& root, const System& system) const {
    const BootEntry& entry = *choice.entry;
    const auto [place, files] = files_of(choice, root);
    // A path that counts from a subvolume is told as one there.
    const bool is_in_root = files != nullptr && files == root.files() && place == root.place;
    const std::string where = is_in_root ? system.root : place ? place->name : std::string();
    const auto placed = [&](const std::string& path) {
      return !where.empty() && path.starts_with('/') ? where + ":" + path : path;
    };
    BootConfiguration boot;
    boot.loader = choice.menu->loader;
    boot.source = choice.menu->place + ":" + choice.menu->path;
    boot.entry = entry.title;
    boot.kernel = placed(entry.kernel);
    if (!entry.initramfs.empty()) boot.initramfs = placed(entry.initramfs.back());
    boot.command_line = entry.command_line;
    boot.root = starts(entry, system) ? system.root : place_of_root(entry);
    if (!boot.root.empty()) boot.root_by = root_by(entry, system);
    boot.serial_console = parse_command_line(entry.command_line).has_serial_console();
    boot.others = entry.others;
    return boot;
  }

  Unpacking unpacking() const {
    if (unpacks_left_ > 0) return Unpacking::full;
    return questions_ == BootQuestions::of_a_guest ? Unpacking::none : Unpacking::beginning;
  }

  static std::string root_by(const BootEntry& entry, const System& system) {
    if (system.kind == "ostree") return "ostree";
    return parse_command_line(entry.command_line).leaves_root_to_type() ? "partition-type" : "command-line";
  }

  void settle(System& system) try {
    OpenRoot root = open_root(places_, system.root);
    if (const auto made = std::ranges::find(roots_, system.root, &SystemRoot::name); made != roots_.end())
      root.whole = made->files.get();
    const Choice choice = choose(system);
    const auto kernel = choice.entry ? kernel_of(choice, root) : newest_kernel(system, root);
    if (choice.entry) system.boot = configuration(choice, root, system);
    if (system.kernels.empty() && !kernel.version.empty()) system.kernels = {kernel.version};
    DriverSearch search = find_drivers(kernel, unpacking());
    unpacks_left_ -= unpacks_left_ == 0 ? 0 : 1;
    system.nics = std::move(search.nics);
    join_command_line(system, search.initramfs);
    settle_drivers(system, std::move(search.buses), search.initramfs, root.files());
    if (questions_ == BootQuestions::of_a_guest) return;
    add_hazards({root.files(), system, contents_, search.initramfs, rescue_entry(choice)}, contents_.findings);
  } catch (const base::Error& error) {
    contents_.findings.push_back({"boot-evidence-unreadable", base::Severity::note, system.root,
                                  fmt::format("what it needs to boot cannot be told: {}", error.message()), ""});
  }

  // A root that the kernel line does not name may be named by the initramfs.
  void join_command_line(System& system, const Initramfs& initramfs) const {
    if (!system.boot || !parse_command_line(system.boot->command_line).root.empty()) return;
    const std::string told = parse_command_line(initramfs.command_line()).root;
    if (told.empty()) return;
    const DeviceName root = parse_device_name(told);
    system.boot->root_by = "initramfs";
    system.boot->root = is_device(system.root, root, contents_) ? system.root : locate_device(root, contents_);
  }

  void settle_drivers(System& system, std::vector<DriverEvidence> drivers, const Initramfs& initramfs,
                      fs::FileSystem* root) const {
    system.drivers = std::move(drivers);
    const CommandLine line =
        parse_command_line(initramfs.command_line() + (system.boot ? system.boot->command_line : std::string()));
    hold_to_root(system, line, contents_);
    prefer_names(system, line.resume, "the kernel's command line", contents_);
    if (root != nullptr) prefer_names_of_tables(system, *root);
    for (const DriverEvidence& driver : system.drivers)
      if (driver.bus == Bus::virtio) system.virtio = driver.verdict;
  }

  void prefer_names_of_tables(System& system, fs::FileSystem& root) const try {
    for (const Mount& mount : awaited_mounts(root)) prefer_names(system, mount.what, "/etc/fstab", contents_);
    for (const EncryptedDevice& device : encrypted_devices(read_table(root, "/etc/crypttab")))
      if (device.is_awaited) prefer_names(system, device.device, "/etc/crypttab", contents_);
  } catch (const base::Error&) {
    // A filesystem that is damaged there is reported where it was opened.
  }

  // One that loads drivers for whatever machine: of dracut, or mkinitcpio's fallback.
  static std::string rescue_entry(const Choice& choice) {
    if (!choice.menu) return {};
    for (const BootEntry& entry : choice.menu->entries)
      for (const std::string& path : entry.initramfs)
        if (path.find("-rescue-") != std::string::npos || path.find("-fallback") != std::string::npos)
          return entry.title;
    return {};
  }

  void add_hidden() {
    auto choice = find_entry([](const BootEntry& entry) { return entry.is_default; });
    if (!choice.entry) choice = find_entry([](const BootEntry&) { return true; });
    if (!choice.entry) return;
    auto system = hidden_system(*choice.entry, contents_);
    if (!system && unpacks_left_ > 0) system = hidden_system_by_initramfs(choice);
    if (system) contents_.systems.insert(contents_.systems.begin(), *system);
  }

  // By the table with which its initramfs opens containers, and by what that adds to the command line.
  std::optional<System> hidden_system_by_initramfs(const Choice& choice) {
    const Initramfs initramfs = initramfs_of(choice);
    BootEntry entry = *choice.entry;
    entry.command_line.insert(0, initramfs.command_line());
    for (const char* table : {"cryptroot/crypttab", "etc/crypttab"})
      if (const auto found = initramfs.configuration.find(table); found != initramfs.configuration.end())
        return hidden_system(entry, contents_, found->second);
    return hidden_system(entry, contents_);
  }

  Initramfs initramfs_of(const Choice& choice) {
    fs::FileSystem* files = files_of(choice, {}).second;
    --unpacks_left_;
    Initramfs all;
    for (const std::string& path : choice.entry->initramfs) try {
        if (files != nullptr) all.configuration.merge(read_initramfs(*files, path, {}).configuration);
      } catch (const base::Error&) {
        // What is wrong with it is reported with the drivers that it should hold.
      }
    return all;
  }

  Contents& contents_;
  std::span<const BootPlace> places_;
  BootQuestions questions_;
  unsigned unpacks_left_;
  std::span<const BootMenu> menus_;
  const std::deque<SystemRoot>& roots_;
};

}  // namespace

void add_boot_evidence(Contents& contents, std::span<const BootPlace> places, BootQuestions questions,
                       std::span<const BootMenu> menus, const std::deque<SystemRoot>& roots) {
  Evidence(contents, places, questions, menus, roots).run();
}

void add_boot_evidence(Contents& contents, std::span<const BootPlace> places, BootQuestions questions) {
  add_boot_evidence(contents, places, questions, read_boot_menus(places), {});
}

}  // namespace hrvm::probe
