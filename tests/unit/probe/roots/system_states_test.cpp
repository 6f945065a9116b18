// Systems that are kept in several states: which one is told, and what the others are.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "probe/roots/assemble_systems.hpp"
#include "probe/roots/find_systems.hpp"
#include "probe/roots/system_states.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using test::MemoryFiles;

namespace {

constexpr const char* gpt_root = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";

// A filesystem in memory with subvolumes, which are folders of its top level as well.
class SubvolumeFiles : public MemoryFiles {
 public:
  SubvolumeFiles& subvolume(fs::Subvolume subvolume) {
    subvolume.id = 256 + all_.size();
    all_.push_back(std::move(subvolume));
    return *this;
  }
  std::vector<fs::Subvolume> subvolumes() override {
    auto all = all_;
    all.insert(all.begin(), fs::Subvolume{.id = 5});
    return all;
  }
  std::unique_ptr<fs::FileSystem> open_subvolume(std::uint64_t id) override {
    if (id == 5) return std::make_unique<fs::MountedFiles>(*this);
    return std::make_unique<fs::MountedFiles>(*this, "/" + all_.at(std::size_t(id - 256)).path);
  }

 private:
  std::vector<fs::Subvolume> all_;
};

struct Kept {
  Contents contents;
  std::vector<BootPlace> places;

  void add(fs::FileSystem& files, const std::string& label = "", const std::string& name = "",
           const std::string& type = "") {
    SurveyedPartition surveyed;
    const unsigned number = unsigned(places.size() + 1);
    surveyed.partition.number = number;
    surveyed.partition.name = name;
    surveyed.partition.type = type;
    surveyed.filesystem = "ext4";
    surveyed.uuid = "uuid-" + std::to_string(number);
    surveyed.label = label;
    contents.partitions.push_back(surveyed);
    places.push_back({"p" + std::to_string(number), surveyed.uuid, label, false, &files});
  }
  // "root|version: state=version date*, …" of each system.
  std::string told() {
    for (const auto& place : places)
      for (auto& system : find_systems(place.name, *place.files, contents.findings))
        contents.systems.push_back(std::move(system));
    const auto menus = read_boot_menus(places);
    SystemTrees trees(places, contents);
    const auto roots = assemble_systems(contents, trees, menus);
    add_states(contents, trees, roots, menus);
    std::string text;
    for (const auto& system : contents.systems) {
      text += system.root + "|" + system.kind + ":";
      for (const auto& state : system.states)
        text += " " + state.name + "=" + state.version + (state.is_default ? "*" : "") +
                (state.title.empty() ? "" : "(" + state.title + ")");
      text += "\n";
    }
    return text;
  }
};

void add_system(MemoryFiles& files, const std::string& version, const std::string& at = "",
                const std::string& id = "appliance") {
  files.add(at + "/etc/os-release", "ID=" + id + "\nPRETTY_NAME=A\nVERSION_ID=" + version + "\n");
  files.folder(at + "/usr/lib/x").folder(at + "/var/lib/x");
}

std::string menu(const std::string& chosen) {
  return "set default=" + chosen +
         "\nmenuentry A { linux /vmlinuz root=/dev/sda1 }\nmenuentry B { linux /vmlinuz root=/dev/sda2 }\n";
}

}  // namespace

TEST_CASE("two slots are one system: the one that starts is told, with both as its states") {
  struct Case {
    const char *one, *other;
    bool is_name;  // of the partition, not of the filesystem
    const char* type;
    bool are_slots;
  };
  const Case cases[] = {
      {"rootfs-a", "rootfs-b", true, "", true},        {"ROOT-A", "ROOT-B", false, "", true},
      {"resin-rootA", "resin-rootB", false, "", true}, {"hassos-system0", "hassos-system1", true, "", true},
      {"system_a", "system_b", true, "", true},        {"fooOS_2024.4", "fooOS_2024.5", true, gpt_root, true},
      {"active", "passive", false, "", true},          {"foo_39", "foo_40", true, "", false},
      {"debian1", "debian2", false, "", false},        {"data", "datb", false, "", false},
      {"rootfs-a", "rootfs-a", true, "", false},       {"", "", false, "", false},
  };
  for (const Case& each : cases)
    for (const char* chosen : {"0", "1"}) {
      CAPTURE(each.one, each.other, chosen);
      MemoryFiles a, b, boot;
      add_system(a, "1");
      add_system(b, "2");
      boot.add("/grub/grub.cfg", menu(chosen));
      Kept disk;
      disk.add(a, each.is_name ? "" : each.one, each.is_name ? each.one : "", each.type);
      disk.add(b, each.is_name ? "" : each.other, each.is_name ? each.other : "", each.type);
      disk.add(boot);
      const std::string one = each.one + std::string("=1"), other = each.other + std::string("=2");
      const std::string whole = chosen == std::string("0") ? "p1|slots: " + one + "*(A) " + other + "(A)\n"
                                                           : "p2|slots: " + other + "*(A) " + one + "(A)\n";
      CHECK(disk.told() == (each.are_slots ? whole : "p1|:\np2|:\n"));
    }
}

TEST_CASE("slots without such names are known by the configuration of RAUC and Mender") {
  const std::pair<const char*, const char*> configurations[] = {
      {"/etc/rauc/system.conf",
       "[slot.rootfs.0]\ndevice=/dev/disk/by-uuid/uuid-1\n[slot.rootfs.1]\ndevice=/dev/sda2\n"},
      {"/etc/mender/mender.conf", "{\"RootfsPartA\": \"/dev/mmcblk0p1\", \"RootfsPartB\":\"/dev/mmcblk0p2\"}"}};
  for (const auto& [path, text] : configurations) {
    MemoryFiles a, b;
    add_system(a, "1");
    add_system(b, "2");
    a.add(path, text);
    Kept disk;
    disk.add(a);
    disk.add(b);
    CHECK(disk.told() == "p1|slots: p1=1*(A) p2=2(A)\n");
  }
}

TEST_CASE(
    "Mender's own note of the slot goes before a menu that cannot be run, and the newest root by type before others") {
  MemoryFiles a, b, esp;
  add_system(a, "1");
  add_system(b, "2");
  esp.add("/EFI/BOOT/mender_grubenv1/env", "# GRUB Environment Block\nmender_boot_part=2\n####");
  Kept mender;
  mender.add(a, "rootfs_a");
  mender.add(b, "rootfs_b");
  mender.add(esp);
  CHECK(mender.told() == "p2|slots: rootfs_b=2*(A) rootfs_a=1(A)\n");
  MemoryFiles boot;
  boot.add("/grub/grub.cfg", "menuentry x { linux /k quiet }\n");
  Kept image;
  image.add(a, "", "fooOS_9", gpt_root);
  image.add(b, "", "fooOS_10", gpt_root);
  image.add(boot);
  CHECK(image.told() == "p2|slots: fooOS_10=2*(A) fooOS_9=1(A)\n");
}

TEST_CASE("slots for /usr alone are states of the system on them") {
  MemoryFiles root, a, b;
  root.add("/etc/hostname", "core\n").folder("/var/lib/x");
  a.add("/lib/os-release", "ID=coreos\nVERSION_ID=1\n").folder("/bin").folder("/share");
  b.add("/lib/os-release", "ID=coreos\nVERSION_ID=2\n").folder("/bin").folder("/share");
  Kept disk;
  disk.add(a, "", "USR-A");
  disk.add(b, "", "USR-B");
  disk.add(root, "ROOT");
  disk.contents.partitions[1].partition.priority = 1;
  CHECK(disk.told() == "p3|slots: USR-B=2* USR-A=1\n");
}

TEST_CASE("NixOS is told by the generation that starts, with the others and their dates") {
  for (const bool chosen : {false, true}) {
    MemoryFiles files;
    const std::string profiles = "/nix/var/nix/profiles/";
    for (const std::string number : {"9", "10"}) {
      const std::string store = "/nix/store/hash" + number + "-nixos-system";
      files.add(store + "/nixos-version", "24.05." + number).link(profiles + "system-" + number + "-link", store);
      files.add(store + "/etc/os-release", "ID=nixos\n");
    }
    files.link(profiles + "system", "system-10-link")
        .add("/etc/os-release", "ID=nixos\n")
        .folder("/var/lib/x")
        .folder("/usr/bin");
    if (chosen)
      files.add("/boot/grub/grub.cfg",
                "menuentry x { linux /k init=/nix/store/hash9-nixos-system/init root=UUID=uuid-1 }\n");
    Kept disk;
    disk.add(files);
    CHECK(disk.told() == (chosen ? "p1|nixos: generation 9=24.05.9* generation 10=24.05.10\n"
                                 : "p1|nixos: generation 10=24.05.10* generation 9=24.05.9\n"));
    CHECK(disk.contents.systems[0].version == (chosen ? "24.05.9" : "24.05.10"));
  }
}

TEST_CASE("the default subvolume is the system though it cannot be written to, snapper's others are its states") {
  SubvolumeFiles files;
  for (const char* number : {"1", "2", "3"})
    add_system(files, std::string("2024") + number, std::string("/@/.snapshots/") + number + "/snapshot");
  files.add("/@/.snapshots/2/info.xml",
            "<?xml version=\"1.0\"?>\n<snapshot>\n <date>2024-05-21 08:00:01</date>\n <description>before "
            "update</description>\n</snapshot>\n");
  files.folder("/@home");
  files.subvolume({.path = "@"}).subvolume({.path = "@/.snapshots"}).subvolume({.path = "@home"});
  files.subvolume({.path = "@/.snapshots/1/snapshot"});
  files.subvolume({.path = "@/.snapshots/2/snapshot", .is_read_only = true, .is_snapshot = true});
  files.subvolume({.path = "@/.snapshots/3/snapshot", .is_default = true, .is_read_only = true, .is_snapshot = true});
  Kept disk;
  disk.add(files);
  CHECK(disk.told() ==
        "p1:@/.snapshots/3/snapshot|snapper: @/.snapshots/3/snapshot=20243* @/.snapshots/1/snapshot=20241 "
        "@/.snapshots/2/snapshot=20242(before update)\n");
  CHECK(disk.contents.systems[0].states[2].date == 1716278401);
}

TEST_CASE("a writable snapshot of a root is a state of it, another system beside it is not") {
  SubvolumeFiles files;
  add_system(files, "12", "/@", "debian");
  add_system(files, "11", "/timeshift/1/@", "debian");
  add_system(files, "41", "/@fedora", "fedora");
  files.subvolume({.path = "@"})
      .subvolume({.path = "timeshift/1/@", .is_snapshot = true})
      .subvolume({.path = "@fedora"});
  Kept disk;
  disk.add(files);
  CHECK(disk.told() == "p1:@|snapshots: @=12* timeshift/1/@=11\np1:@fedora|:\n");
}
