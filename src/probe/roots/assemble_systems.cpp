#include "probe/roots/assemble_systems.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/disk_names.hpp"
#include "probe/boot/fstab.hpp"
#include "probe/boot/hidden_system.hpp"
#include "probe/roots/deployments.hpp"
#include "probe/roots/find_systems.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_mounts = 64, largest_table = 256 << 10;

bool is_any(fs::FileSystem& files, std::initializer_list<const char*> paths) {
  return std::ranges::any_of(paths, [&](const char* path) { return fs::exists(files, path); });
}

// A root, or what is left of one whose parts lie elsewhere.
bool is_root_like(fs::FileSystem& files) {
  if (is_any(files, {"/etc/fstab", "/etc/passwd", "/etc/machine-id", "/etc/hostname"})) return true;
  return is_folder(files, "/etc") && !is_any(files, {"/lib/os-release", "/share"});
}

// A filesystem that is mounted on /usr: what it has, a root has one folder further down.
bool is_usr_like(fs::FileSystem& files) {
  if (is_folder(files, "/usr") || is_any(files, {"/fstab", "/etc/fstab", "/etc/passwd"})) return false;
  if (is_any(files, {"/lib/os-release"})) return true;
  return is_folder(files, "/bin") && is_folder(files, "/share") && is_folder(files, "/lib");
}

bool is_var_like(fs::FileSystem& files) {
  if (is_folder(files, "/usr") || is_folder(files, "/etc")) return false;
  if (is_any(files, {"/lib/dpkg/status", "/lib/rpm", "/lib/pacman", "/lib/systemd"})) return true;
  return is_folder(files, "/lib") && is_folder(files, "/log") && is_folder(files, "/cache");
}

bool is_etc_like(fs::FileSystem& files) {
  return is_any(files, {"/fstab"}) && is_any(files, {"/passwd", "/os-release", "/hostname", "/machine-id"}) &&
         !is_folder(files, "/etc");
}

// Trees of one kind, looked for once.
class Kind {
 public:
  explicit Kind(bool (*is)(fs::FileSystem& files)) : is_(is) {}
  const std::vector<const SystemTree*>& among(const SystemTrees& trees) {
    if (!found_) {
      found_.emplace();
      for (const SystemTree& tree : trees.all())
        if (!tree.place->is_esp && is_(tree.files())) found_->push_back(&tree);
    }
    return *found_;
  }

 private:
  bool (*is_)(fs::FileSystem& files);
  std::optional<std::vector<const SystemTree*>> found_;
};

class Assembling {
 public:
  Assembling(Contents& contents, SystemTrees& trees, std::span<const BootMenu> menus)
      : contents_(contents), trees_(trees), menus_(menus) {}

  std::deque<SystemRoot> run() && {
    for (std::size_t i = 0; i < trees_.all().size(); ++i) {
      const SystemTree& tree = trees_.all()[i];
      if (tree.place->is_esp) continue;
      try {
        assemble(tree);
      } catch (const base::Error&) {
        // A damaged filesystem is reported where it was opened; what was seen of it before stays.
      }
    }
    drop_parts();
    const auto is_guests = [](const System& system) { return system.inside.has_value(); };
    if (!misses_usr_ && std::ranges::all_of(contents_.systems, is_guests)) take_bare_usr();
    return std::move(roots_);
  }

 private:
  void assemble(const SystemTree& tree) {
    if (is_folder(tree.files(), "/ostree/deploy"))
      return assemble_deployment(tree, find_deployment(tree, menus_), "ostree");
    if (is_folder(tree.files(), "/state/deploy") && is_folder(tree.files(), "/composefs"))
      return assemble_deployment(tree, find_composefs(tree, menus_), "composefs");
    const SystemTree* etc = holds_anything(tree.files(), "/etc") ? nullptr : find_etc(tree);
    if (etc == nullptr && !is_root_like(tree.files())) return;
    Whole whole(tree);
    if (etc != nullptr) whole.mount("/etc", *etc);
    mount_fstab(whole);
    misses_usr_ |= whole.is_usr_told && !whole.has("/usr");
    mount_usr(whole);
    mount_var(whole);
    if (whole.mounts.empty()) return;
    if (auto system = find_system({*whole.root.files, tree.name, contents_.findings})) {
      system->mounts = std::move(whole.mounts);
      take(std::move(*system), std::move(whole.root));
    }
  }

  void assemble_deployment(const SystemTree& tree, std::optional<Deployment> deployment, const char* kind) {
    if (!deployment) return;
    Whole whole(std::move(deployment->root), tree);
    whole.mounts = std::move(deployment->mounts);
    mount_fstab(whole);
    auto system = find_system({*whole.root.files, tree.name, contents_.findings});
    // Where its files lie in an image the entry alone names it.
    if (!system && deployment->entry != nullptr) {
      system = system_by_entry(*deployment->entry, tree.name, contents_);
      if (!deployment->entry->title.empty()) system->pretty = base::printable(deployment->entry->title);
      system->hostname = hostname_of(*whole.root.files);
    }
    if (!system) return;
    system->kind = kind;
    system->folder = std::move(deployment->folder);
    system->states = std::move(deployment->states);
    system->mounts = std::move(whole.mounts);
    take(std::move(*system), std::move(whole.root));
  }

  // An image that makes its root at the first start has nothing but a /usr.
  void take_bare_usr() try {
    const SystemTree* usr = best_usr(nullptr, nullptr);
    if (usr == nullptr) return;
    Whole whole({usr->name, std::make_unique<fs::MountedFiles>()}, *usr);
    if (!whole.mount("/usr", *usr)) return;
    auto system = find_system({*whole.root.files, usr->name, contents_.findings});
    if (!system) return;
    system->mounts = std::move(whole.mounts);
    take(std::move(*system), std::move(whole.root));
  } catch (const base::Error&) {
    // As above.
  }

  struct Whole {
    explicit Whole(const SystemTree& tree)
        : root{tree.name, std::make_unique<fs::MountedFiles>(tree.files())}, top(&tree) {}
    Whole(SystemRoot made, const SystemTree& tree) : root(std::move(made)), top(&tree) {}

    bool mount(const std::string& point, const SystemTree& tree, const std::string& folder = "/") {
      if (mounts.size() >= most_mounts || !root.files->mount(point, tree.files(), folder)) return false;
      mounts.push_back({point, folder == "/" ? tree.name : tree.name + ":" + folder});
      return true;
    }
    bool has(std::string_view point) const {
      return std::ranges::find(mounts, point, &SystemMount::point) != mounts.end();
    }

    SystemRoot root;
    const SystemTree* top;
    std::vector<SystemMount> mounts;
    bool is_usr_told = false;  // fstab has a line for it
  };

  // ---- by what is written down ----

  std::vector<FstabLine> table_of(fs::FileSystem& files, const char* path) const {
    return parse_fstab(fs::try_read(files, path, largest_table).value_or(""));
  }

  const SystemTree* find(const FstabLine& line) {
    return trees_.find(parse_device_name(line.device), line.subvolume());
  }

  // What is above has to be mounted before what lies in it.
  void mount_fstab(Whole& whole) {
    auto lines = table_of(*whole.root.files, "/etc/fstab");
    std::ranges::stable_sort(lines, {}, [](const FstabLine& line) { return std::ranges::count(line.point, '/'); });
    const auto root = std::ranges::find(lines, "/", &FstabLine::point);
    const auto disk = root == lines.end() ? std::string() : disk_in(root->device);
    for (const FstabLine& line : lines) {
      whole.is_usr_told |= line.point == "/usr";
      if (line.point == "/" || line.type == "swap" || whole.has(line.point)) continue;
      if (line.has_option("bind") || line.has_option("rbind") || !is_of_disk(line, disk)) continue;
      if (const SystemTree* tree = find(line); tree && tree != whole.top) whole.mount(line.point, *tree);
    }
  }

  // "sda" of "/dev/sda3", "nvme0n1" of "/dev/nvme0n1p3"; empty for what is named otherwise.
  static std::string disk_in(const std::string& device) {
    const auto name = parse_device_name(device);
    if (name.by != DeviceName::By::kernel_name) return {};
    std::string disk = name.name.substr(0, name.name.find_last_not_of("0123456789") + 1);
    const bool has_separator = disk.size() > 1 && disk.ends_with('p') && disk.find_first_of("0123456789") != disk.npos;
    return has_separator ? disk.substr(0, disk.size() - 1) : disk;
  }

  // A name of the kernel's is of the root's disk, or, where that is named otherwise, of the first.
  static bool is_of_disk(const FstabLine& line, const std::string& disk) {
    const auto own = disk_in(line.device);
    if (own.empty() || own == disk) return true;
    const DiskName* kind = find_disk_name(own);
    return disk.empty() && kind != nullptr && is_of_first_disk(own, *kind);
  }

  // The subvolume or partition whose fstab says that this tree is the root.
  const SystemTree* find_etc(const SystemTree& root) {
    for (const SystemTree* tree : etcs_.among(trees_)) {
      const auto lines = table_of(tree->files(), "/fstab");
      const auto line = std::ranges::find(lines, "/", &FstabLine::point);
      if (tree != &root && line != lines.end() && find(*line) == &root) return tree;
    }
    return nullptr;
  }

  // ---- by what is missing ----

  static bool lacks_usr(const Whole& whole) {
    return !is_any(*whole.root.files, {"/usr/lib", "/usr/bin", "/usr/share"});
  }

  void mount_usr(Whole& whole) {
    // What fstab names and is not here is no other one.
    if (!lacks_usr(whole) || whole.is_usr_told) return;
    if (const SystemTree* usr = find_usr(whole)) whole.mount("/usr", *usr);
  }

  const SystemTree* find_usr(const Whole& whole) {
    if (const SystemTree* told = usr_of_menu(whole)) return told;
    return best_usr(whole.top, whole.root.files.get());
  }

  const SystemTree* best_usr(const SystemTree* other_than, fs::FileSystem* root) {
    auto found = usrs_.among(trees_);
    std::erase(found, other_than);
    if (found.empty()) return nullptr;
    std::ranges::stable_sort(found, std::greater(), [&](const SystemTree* tree) {
      return std::pair(root != nullptr && has_modules_for(*tree, *root), priority_of(*tree));
    });
    return found.front();
  }

  // Of two installations each has the modules of the kernels in its own root.
  static bool has_modules_for(const SystemTree& usr, fs::FileSystem& root) {
    constexpr std::string_view prefix = "vmlinuz-";
    std::vector<std::string> versions;
    if (is_folder(root, "/boot"))
      for (const fs::Entry& entry : root.list("/boot"))
        if (entry.name.starts_with(prefix)) versions.push_back(entry.name.substr(prefix.size()));
    return std::ranges::any_of(
        versions, [&](const std::string& version) { return is_folder(usr.files(), "/lib/modules/" + version); });
  }

  const SystemTree* usr_of_menu(const Whole& whole) {
    for (const BootMenu& menu : menus_)
      for (const BootEntry& entry : menu.entries) {
        const CommandLine line = parse_command_line(entry.command_line);
        if (!entry.is_default || line.usr.empty()) continue;
        if (const SystemTree* tree = trees_.find(parse_device_name(line.usr), ""); tree && tree != whole.top)
          return tree;
      }
    return nullptr;
  }

  // Of several slots ChromeOS's and Container Linux's GRUB takes the one of the highest priority.
  unsigned priority_of(const SystemTree& tree) const {
    const SurveyedPartition* partition = trees_.partition_of(tree);
    return partition ? partition->partition.priority : 0;
  }

  void mount_var(Whole& whole) {
    if (whole.has("/var") || holds_anything(*whole.root.files, "/var/lib")) return;
    auto found = vars_.among(trees_);
    std::erase(found, whole.top);
    // Which of several is this one's cannot be told.
    if (found.size() == 1) whole.mount("/var", *found.front());
  }

  // ---- the systems ----

  void take(System system, SystemRoot root) {
    const auto known = std::ranges::find_if(contents_.systems, [&](const System& each) {
      return each.root == system.root && each.folder == system.folder && !each.inside;
    });
    if (known != contents_.systems.end())
      *known = std::move(system);
    else
      contents_.systems.push_back(std::move(system));
    roots_.push_back(std::move(root));
  }

  // A part that looks like a system by itself.
  void drop_parts() {
    std::vector<std::string> parts;
    for (const System& system : contents_.systems)
      for (const SystemMount& mount : system.mounts) parts.push_back(mount.source);
    std::erase_if(contents_.systems, [&](const System& system) {
      return !system.inside && system.mounts.empty() && std::ranges::find(parts, system.root) != parts.end() &&
             !is_root_of_whole(system.root);
    });
  }
  bool is_root_of_whole(const std::string& name) const {
    return std::ranges::find(roots_, name, &SystemRoot::name) != roots_.end();
  }

  Contents& contents_;
  SystemTrees& trees_;
  std::span<const BootMenu> menus_;
  std::deque<SystemRoot> roots_;
  bool misses_usr_ = false;  // a root's fstab names one that is not here
  Kind etcs_{is_etc_like}, usrs_{is_usr_like}, vars_{is_var_like};
};

void settle_role(SurveyedPartition& partition, const std::string& role) {
  if (partition.role.empty() || partition.role == "data") partition.role = role;
}

// What a part is for shows with the whole.
void settle_roles(Contents& contents) {
  for (SurveyedPartition& each : contents.partitions) {
    const std::string name = "p" + std::to_string(each.partition.number);
    const auto is_here = [&](const std::string& place) { return place == name || place.starts_with(name + ":"); };
    for (const System& system : contents.systems) {
      if (system.inside) continue;
      if (is_here(system.root)) settle_role(each, "root");
      for (const SystemMount& mount : system.mounts) {
        if (mount.point == "/usr" && is_here(mount.source)) settle_role(each, "usr");
        if (mount.point == "/boot" && is_here(mount.source)) settle_role(each, "boot");
      }
    }
  }
}

}  // namespace

std::deque<SystemRoot> assemble_systems(Contents& contents, SystemTrees& trees, std::span<const BootMenu> menus) {
  auto roots = Assembling(contents, trees, menus).run();
  settle_roles(contents);
  return roots;
}

}  // namespace hrvm::probe
