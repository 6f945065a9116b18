// Systems in parts: by fstab, by what the command line mounts, by what is missing; and deployments.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "probe/boot/fstab.hpp"
#include "probe/boot_evidence.hpp"
#include "probe/roots/assemble_systems.hpp"
#include "probe/roots/find_systems.hpp"
#include "support/memory_files.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using test::MemoryFiles;

namespace {

const std::string release = "ID=ubuntu\nNAME=Ubuntu\nVERSION_ID=22.04\nPRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\n";

// A disk of filesystems in memory: partition N has the UUID "uuid-N", the label "label-N", the PARTUUID "part-N".
struct Parts {
  Contents contents;
  std::vector<BootPlace> places;
  std::vector<std::unique_ptr<MemoryFiles>> all;
  std::deque<SystemRoot> roots;

  MemoryFiles& add(bool is_esp = false) {
    auto& files = *all.emplace_back(std::make_unique<MemoryFiles>());
    const auto number = std::to_string(all.size());
    SurveyedPartition surveyed;
    surveyed.partition.number = unsigned(all.size());
    surveyed.partition.partuuid = "part-" + number;
    surveyed.filesystem = is_esp ? "vfat" : "ext4";
    surveyed.uuid = "uuid-" + number;
    surveyed.label = "label-" + number;
    surveyed.role = is_esp ? "esp" : "data";
    contents.partitions.push_back(surveyed);
    places.push_back({"p" + number, surveyed.uuid, surveyed.label, is_esp, &files});
    return files;
  }
  // As read_contents does it.
  const std::vector<System>& read() {
    for (const auto& place : places)
      if (!place.is_esp)
        for (auto& system : find_systems(place.name, *place.files, contents.findings))
          contents.systems.push_back(std::move(system));
    const auto menus = read_boot_menus(places);
    SystemTrees trees(places, contents);
    roots = assemble_systems(contents, trees, menus);
    add_boot_evidence(contents, places, BootQuestions::all, menus, roots);
    return contents.systems;
  }
  std::string role(std::size_t number) const { return contents.partitions.at(number - 1).role; }
};

// What lies under /usr, with modules.
void add_usr(MemoryFiles& files, const std::string& at = "") {
  files.add(at + "/lib/os-release", release).add(at + "/bin/sh", "").add(at + "/share/x", "");
  files.add(at + "/lib/modules/6.1.0/modules.builtin",
            "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/virtio/virtio_pci.ko\n");
  files.folder(at + "/lib/modules/6.1.0/kernel/drivers");
}

// A root without /usr.
void add_root(MemoryFiles& files) {
  files.folder("/usr").link("/bin", "usr/bin").link("/lib", "usr/lib").link("/etc/os-release", "../usr/lib/os-release");
  files.add("/etc/hostname", "box\n").folder("/var/lib/x");
}

std::string mounts_of(const System& system) {
  std::string text;
  for (const auto& mount : system.mounts) text += mount.point + "=" + mount.source + " ";
  return text;
}

}  // namespace

TEST_CASE("/usr on a filesystem of its own is found by each of the names that fstab can have for it") {
  for (const char* name : {"UUID=uuid-3", "UUID=\"uuid-3\"", "LABEL=label-3", "PARTUUID=part-3",
                           "/dev/disk/by-partuuid/part-3", "/dev/disk/by-uuid/uuid-3", "/dev/sda3"}) {
    CAPTURE(name);
    Parts disk;
    auto& root = disk.add();
    add_root(root);
    root.add("/etc/fstab", std::string("UUID=uuid-1 / ext4 defaults 0 1\n") + name + "\t/usr/ ext4 ro 0 2\n");
    add_usr(disk.add().add("/lib/of", "another system"));
    add_usr(disk.add());
    const auto& systems = disk.read();
    REQUIRE(systems.size() == 1);
    CHECK(systems[0].id == "ubuntu");
    CHECK(systems[0].root == "p1");
    CHECK(systems[0].hostname == "box");
    CHECK(systems[0].kernels == std::vector<std::string>{"6.1.0"});
    CHECK(systems[0].virtio == Verdict::yes);
    CHECK(mounts_of(systems[0]) == "/usr=p3 ");
    CHECK(disk.role(1) == "root");
    CHECK(disk.role(2) == "data");
    CHECK(disk.role(3) == "usr");
  }
}

TEST_CASE("a partition of another disk is none of this one's with the same number") {
  const std::pair<const char*, const char*> cases[] = {
      {"UUID=uuid-1 / ext4 defaults 0 1\n/dev/sdb2 /home ext4 defaults 0 2\n", ""},
      {"UUID=uuid-1 / ext4 defaults 0 1\n/dev/nvme1n1p2 /home ext4 defaults 0 2\n", ""},
      {"UUID=uuid-1 / ext4 defaults 0 1\n/dev/nvme0n1p2 /home ext4 defaults 0 2\n", "/home=p2 "},
      {"/dev/sdb1 / ext4 defaults 0 1\n/dev/sdb2 /home ext4 defaults 0 2\n", "/home=p2 "},
      {"/dev/sdb1 / ext4 defaults 0 1\n/dev/sda2 /home ext4 defaults 0 2\n", ""}};
  for (const auto& [fstab, mounts] : cases) {
    CAPTURE(fstab);
    Parts disk;
    disk.add().add("/etc/os-release", release).add("/etc/fstab", fstab);
    disk.add().folder("/user");
    CHECK(mounts_of(disk.read().at(0)) == mounts);
  }
}

TEST_CASE("where fstab names a /usr that is not here no other one is taken, and the loader's entry names the system") {
  Parts disk;
  auto& root = disk.add();
  add_root(root);
  root.add("/etc/fstab", "UUID=uuid-1 / ext4 defaults 0 1\nUUID=dead /usr ext4 ro 0 2\n")
      .add("/boot/vmlinuz-6.1.0", "k");
  root.add("/boot/grub/grub.cfg", "menuentry 'Ubuntu' {\n linux /boot/vmlinuz-6.1.0 root=UUID=uuid-1 ro\n}\n");
  disk.add().add("/lib/os-release", "ID=other\n").folder("/bin").folder("/share");
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].id == "ubuntu");
  CHECK(systems[0].root == "p1");
  CHECK(systems[0].mounts.empty());
}

TEST_CASE("of two roots without an fstab each gets the /usr that has its kernel's modules") {
  Parts disk;
  for (const std::string version : {"6.1.0", "5.10.0"}) {
    auto& root = disk.add();
    add_root(root);
    root.add("/boot/vmlinuz-" + version, "k");
  }
  for (const std::string version : {"5.10.0", "6.1.0"})
    disk.add().add("/lib/os-release", release).folder("/bin").folder("/share").folder("/lib/modules/" + version);
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 2);
  CHECK(mounts_of(systems[0]) == "/usr=p4 ");
  CHECK(mounts_of(systems[1]) == "/usr=p3 ");
}

TEST_CASE("without an fstab the root gets the filesystem that is what it lacks") {
  Parts disk;
  add_usr(disk.add());
  auto& root = disk.add();
  root.link("/etc/os-release", "../usr/lib/os-release").add("/etc/hostname", "core\n");
  disk.add().folder("/home/user");
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].root == "p2");
  CHECK(systems[0].kernels == std::vector<std::string>{"6.1.0"});
  CHECK(mounts_of(systems[0]) == "/usr=p1 ");
}

TEST_CASE("of two slots for /usr the command line says which, else the priority of the partition") {
  for (const bool told : {false, true}) {
    Parts disk;
    add_usr(disk.add());
    add_usr(disk.add());
    disk.contents.partitions[1].partition.priority = 2;
    auto& root = disk.add();
    add_root(root);
    if (told)
      root.add("/boot/grub/grub.cfg",
               "menuentry x {\n linux /boot/vmlinuz root=UUID=uuid-3 mount.usr=PARTUUID=part-1\n}\n");
    const auto& systems = disk.read();
    REQUIRE(systems.size() == 1);
    CHECK(mounts_of(systems[0]) == (told ? "/usr=p1 " : "/usr=p2 "));
  }
}

TEST_CASE("a product is known by its package list on a /var of its own") {
  const std::string status = "Package: pve-manager\nStatus: install ok installed\nVersion: 8.1.4\n\n";
  for (const char* fstab : {"LABEL=label-2 /var ext4 defaults 0 2\n", ""}) {
    Parts disk;
    auto& root = disk.add();
    add_usr(root, "/usr");
    root.add("/etc/os-release", "ID=debian\nVERSION_ID=12\n").add("/etc/fstab", fstab).folder("/var");
    disk.add().add("/lib/dpkg/status", status);
    const auto& systems = disk.read();
    REQUIRE(systems.size() == 1);
    CHECK(systems[0].id == "proxmox");
    CHECK(mounts_of(systems[0]) == "/var=p2 ");
  }
}

TEST_CASE("/etc on a filesystem of its own is the one whose fstab names the root") {
  Parts disk;
  auto& root = disk.add();
  add_usr(root, "/usr");
  root.folder("/etc").link("/lib", "usr/lib");
  disk.add()
      .add("/fstab", "UUID=uuid-1 / ext4\nUUID=uuid-2 /etc ext4\n")
      .add("/hostname", "apart\n")
      .add("/passwd", "");
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].hostname == "apart");
  CHECK(mounts_of(systems[0]) == "/etc=p2 ");
}

TEST_CASE("systems that are whole by themselves stay as they are, and parts of nothing are none") {
  Parts disk;
  auto& one = disk.add();
  add_usr(one, "/usr");
  one.add("/etc/os-release", release).folder("/var/lib/x");
  auto& other = disk.add();
  add_usr(other, "/usr");
  other.add("/etc/os-release", "ID=fedora\n")
      .folder("/var/lib/x")
      .add("/etc/fstab", "UUID=uuid-9 /usr ext4\nnonsense\n");
  disk.add().add("/etc/notes", "no system");
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 2);
  CHECK(systems[0].id == "ubuntu");
  CHECK(systems[1].id == "fedora");
  CHECK(mounts_of(systems[0]) + mounts_of(systems[1]) == "");
}

TEST_CASE("fstab's fields are read with quotes and escapes, and lines that mount nothing are left out") {
  const auto lines =
      parse_fstab("# x\n\nUUID=\"a\" /my\\040disk btrfs rw,subvol=/@x,compress 0 0\nb none swap sw\nc /d/\nshort\n");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].device == "UUID=a");
  CHECK(lines[0].point == "/my disk");
  CHECK(lines[0].subvolume() == "@x");
  CHECK(lines[0].has_option("rw"));
  CHECK_FALSE(lines[0].option("sub"));
  CHECK(lines[1].point == "/d");
}

// ---- deployments ----

namespace {

struct Silverblue {
  Parts disk;
  MemoryFiles& root = disk.add();
  std::string folder(const std::string& name) const { return "/ostree/deploy/fedora/deploy/" + name; }

  void deploy(const std::string& name, const std::string& version, const std::string& kernel) {
    const auto at = folder(name);
    root.add(at + "/usr/lib/os-release", "ID=fedora\nNAME=\"Fedora Linux\"\nVERSION_ID=41\nOSTREE_VERSION='" + version +
                                             "'\nPRETTY_NAME=\"Fedora Linux " + version + " (Silverblue)\"\n");
    root.add(at + "/usr/lib/modules/" + kernel + "/modules.builtin",
             "kernel/drivers/block/virtio_blk.ko\nkernel/drivers/virtio/virtio_pci.ko\n");
    root.folder(at + "/usr/lib/modules/" + kernel + "/kernel/drivers");
    root.add(at + "/etc/hostname", "sb\n")
        .link(at + "/etc/os-release", "../usr/lib/os-release")
        .link(at + "/lib", "usr/lib");
    root.folder("/ostree/deploy/fedora/var/lib").folder(at + "/var");
  }
  void link(const std::string& checksum, const std::string& name) {
    root.link("/ostree/boot.1", "boot.1.1");
    root.link("/ostree/boot.1.1/fedora/" + checksum + "/0", "../../../deploy/fedora/deploy/" + name);
  }
  std::string entry(const std::string& number, const std::string& checksum, const std::string& kernel) const {
    return "title Fedora Linux (ostree:" + number + ")\nversion " + number + "\nlinux /ostree/fedora-" + checksum +
           "/vmlinuz-" + kernel + "\noptions root=UUID=uuid-1 rw ostree=/ostree/boot.1/fedora/" + checksum +
           "/0 console=ttyS0\n";
  }
};

}  // namespace

TEST_CASE("of several deployments the one is the system that the default entry leads to, the others are its states") {
  for (const bool own_boot : {false, true}) {
    Silverblue s;
    s.deploy("aa.0", "41.1", "6.11.1");
    s.deploy("bb.0", "41.2", "6.12.2");
    s.deploy("cc.0", "41.3", "6.13.3");  // staged, in no menu
    s.link("aa", "aa.0");
    s.link("bb", "bb.0");
    auto& boot = own_boot ? s.disk.add() : s.root;
    const std::string at = own_boot ? "" : "/boot";
    boot.add(at + "/grub2/grub.cfg", "insmod blscfg\nblscfg\n").link(at + "/loader", "loader.1");
    boot.add(at + "/loader.1/entries/ostree-2.conf", s.entry("0", "bb", "6.12.2"));
    boot.add(at + "/loader.1/entries/ostree-1.conf", s.entry("1", "aa", "6.11.1"));
    boot.add(at + "/ostree/fedora-bb/vmlinuz-6.12.2", "k");
    const auto& systems = s.disk.read();
    REQUIRE(systems.size() == 1);
    const System& system = systems[0];
    CHECK(system.kind == "ostree");
    CHECK(system.root == "p1");
    CHECK(system.folder == s.folder("bb.0"));
    CHECK(system.pretty == "Fedora Linux 41.2 (Silverblue)");
    CHECK(system.hostname == "sb");
    CHECK(system.kernels.at(0) == "6.12.2");
    CHECK(system.virtio == Verdict::yes);
    CHECK(mounts_of(system).starts_with("/var=p1:/ostree/deploy/fedora/var "));
    REQUIRE(system.states.size() == 3);
    CHECK(system.states[0].name == "bb.0");
    CHECK(system.states[0].is_default);
    CHECK(system.states[0].title == "Fedora Linux (ostree:0)");
    CHECK(system.states[1].version == "41.1");
    CHECK(system.states[2].name == "cc.0");
    CHECK_FALSE(system.states[2].is_default);
    REQUIRE(system.boot);
    CHECK(system.boot->root == "p1");
    CHECK(system.boot->entry == "Fedora Linux (ostree:0)");
  }
}

TEST_CASE("where no entry says it the deployment counts that is linked for a start") {
  Silverblue s;
  s.deploy("aa.0", "41.1", "6.11.1");
  s.deploy("bb.0", "41.2", "6.12.2");
  s.link("aa", "aa.0");
  const auto& systems = s.disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].folder == s.folder("aa.0"));
  CHECK(systems[0].kernels == std::vector<std::string>{"6.11.1"});
}

TEST_CASE("a folder of deployments without any, and links that lead nowhere, are no system") {
  Silverblue s;
  s.root.folder("/ostree/deploy/fedora/deploy").link("/ostree/boot.1", "boot.1");
  CHECK(s.disk.read().empty());
}

TEST_CASE("a deployment whose files lie in an image is named by its entry") {
  for (const std::string kind : {"ostree", "composefs"}) {
    CAPTURE(kind);
    Silverblue s;
    const std::string at = kind == "ostree" ? s.folder("aa.0") : "/state/deploy/aa";
    s.root.add(at + "/etc/hostname", "image\n").add(at + "/.ostree.cfs", "x");
    if (kind == "ostree") s.link("aa", "aa.0");
    if (kind == "composefs") s.root.folder("/composefs/images").folder("/state/deploy/bb/etc");
    s.root.add("/boot/grub2/grub.cfg", "blscfg\n");
    const auto entry = [&](const std::string& name, const std::string& words) {
      s.root.add(
          "/boot/loader/entries/" + name + ".conf",
          "title Fedora bootc " + name + "\nlinux /boot/vmlinuz-6.12.2\noptions root=UUID=uuid-1 " + words + "\n");
    };
    entry("2", kind == "ostree" ? "ostree=/ostree/boot.1/fedora/aa/0" : "composefs=?aa");
    if (kind == "composefs") entry("1", "composefs=bb");
    const auto& systems = s.disk.read();
    REQUIRE(systems.size() == 1);
    CHECK(systems[0].id == "fedora");
    CHECK(systems[0].pretty == "Fedora bootc 2");
    CHECK(systems[0].kind == kind);
    CHECK(systems[0].folder == at);
    CHECK(systems[0].hostname == "image");
    CHECK(systems[0].kernels == std::vector<std::string>{"6.12.2"});
    CHECK(systems[0].states.size() == (kind == "ostree" ? 1 : 2));
    REQUIRE(systems[0].boot);
    CHECK(systems[0].boot->root == "p1");
  }
}

TEST_CASE("a system whose /usr cannot be read is named by its entry") {
  Parts disk;
  auto& esp = disk.add(true);
  esp.add("/loader/loader.conf", "")
      .add("/loader/entries/a.conf", "title Arch Image\nlinux /k\noptions mount.usr=PARTUUID=part-3 root=UUID=uuid-2\n")
      .add("/k", "k");
  disk.add().add("/etc/machine-id", "1");
  disk.add();
  disk.places.pop_back();
  disk.contents.findings.push_back({"cannot-look-inside", base::Severity::note, "p3", "erofs", ""});
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].id == "arch");
  CHECK(systems[0].root == "p2");
  REQUIRE(systems[0].boot);
}

TEST_CASE("an image that makes its root at the first start is told by its /usr") {
  Parts disk;
  disk.add().add("/notes", "x");
  add_usr(disk.add());
  const auto& systems = disk.read();
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].id == "ubuntu");
  CHECK(systems[0].root == "p2");
  CHECK(systems[0].kernels == std::vector<std::string>{"6.1.0"});
  CHECK(mounts_of(systems[0]) == "/usr=p2 ");
}
