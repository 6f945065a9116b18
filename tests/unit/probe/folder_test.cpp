#include "hrvm/probe/folder.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <fstream>
#include <functional>
#include <iterator>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/overlay.hpp"
#include "support/cpio_archive.hpp"
#include "support/failing.hpp"
#include "support/memory_files.hpp"
#include "support/run_program.hpp"
#include "support/skipping.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

struct Tree {
  void write(const std::string& path, const std::string& text = "x") {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
  void link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories((root / path).parent_path());
    std::filesystem::create_symlink(target, root / path);
  }
  std::unique_ptr<fs::FileSystem> files() { return fs::open_folder({root}); }

  test::TemporaryDirectory folder;
  std::filesystem::path root = folder / "root";
};

}  // namespace

TEST_CASE_METHOD(Tree, "of the kernels in a folder the newest by version is started that has an initramfs") {
  for (const char* version : {"6.1.0-9-amd64", "6.1.0-18-amd64", "6.5.0-1-amd64"})
    write(std::string("boot/vmlinuz-") + version);
  write("boot/initrd.img-6.1.0-9-amd64");
  write("boot/initrd.img-6.1.0-18-amd64");
  const auto kernel = find_folder_kernel(*files());
  REQUIRE(kernel);
  CHECK(kernel->kernel == "/boot/vmlinuz-6.1.0-18-amd64");
  CHECK(kernel->initramfs == "/boot/initrd.img-6.1.0-18-amd64");
  CHECK(kernel->version == "6.1.0-18-amd64");
}

TEST_CASE_METHOD(Tree, "a kernel that only an entry of the Boot Loader Specification names is found") {
  write("boot/loader/entries/a.conf", "title A\nversion 6.7\nlinux /abc/6.7/linux\ninitrd /abc/6.7/initrd\n");
  write("boot/abc/6.7/linux");
  write("boot/abc/6.7/initrd");
  const auto kernel = find_folder_kernel(*files());
  REQUIRE(kernel);
  CHECK(kernel->kernel == "/boot/abc/6.7/linux");
  CHECK(kernel->initramfs == "/boot/abc/6.7/initrd");
}

TEST_CASE_METHOD(Tree, "a kernel that lies beside its modules is found, with the initramfs in /boot or there") {
  write("usr/lib/modules/6.17.1-amd64/vmlinuz");
  write("usr/lib/modules/6.16.9-amd64/vmlinuz");
  write("boot/initrd.img-6.17.1-amd64");
  auto kernel = find_folder_kernel(*files());
  REQUIRE(kernel);
  CHECK(kernel->kernel == "/usr/lib/modules/6.17.1-amd64/vmlinuz");
  CHECK(kernel->initramfs == "/boot/initrd.img-6.17.1-amd64");
  link("boot/vmlinuz-6.17.1-amd64", "../usr/lib/modules/6.17.1-amd64/vmlinuz");
  CHECK(find_folder_kernel(*files())->kernel == "/boot/vmlinuz-6.17.1-amd64");
}

TEST_CASE_METHOD(Tree, "a folder without a kernel has none, and a link that leads nowhere is none") {
  link("vmlinuz", "boot/gone");
  CHECK_FALSE(find_folder_kernel(*files()));
}

TEST_CASE_METHOD(Tree, "a link in a folder leads to what its own system would see, never to the host's files") {
  std::ofstream(folder / "secret") << "the host's";
  link("vmlinuz", (folder / "secret").string());
  link("etc/up", "../../secret");
  CHECK_FALSE(fs::place_in_folder({root}, "/vmlinuz"));
  CHECK_FALSE(fs::place_in_folder({root}, "/etc/up"));
  write("usr/lib/file");
  link("lib", "/usr/lib");
  CHECK(fs::place_in_folder({root}, "/lib/file") == root / "usr/lib/file");
}

TEST_CASE_METHOD(Tree, "a root filesystem has a Linux's os-release and an init") {
  write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian 12\"\n");
  CHECK_THAT(test::error_of([&] { read_folder(*files(), "/srv/web"); }).message(),
             Catch::Contains("/srv/web holds no root filesystem") && Catch::Contains("/sbin/init"));
  link("sbin/init", "/lib/systemd/systemd");
  CHECK_THROWS(read_folder(*files(), "/srv/web"));
  write("lib/systemd/systemd");
  CHECK(read_folder(*files(), "/srv/web").systems.front().pretty == "Debian 12");
}

TEST_CASE_METHOD(Tree,
                 "a stack of folders shows what the topmost has, and not what a whiteout or an opaque folder hides") {
  if (::geteuid() != 0) HRVM_SKIP("needs root");
  write("etc/a", "below");
  write("etc/b", "below");
  write("opt/c", "below");
  const auto upper = folder / "upper";
  std::filesystem::create_directories(upper / "etc");
  std::filesystem::create_directories(upper / "opt");
  std::ofstream(upper / "etc/a") << "above";
  test::run_program({"mknod", (upper / "etc/b").string(), "c", "0", "0"});
  sys::set_opaque(upper / "opt");
  const auto stack = fs::open_folder({upper, root});
  CHECK(fs::try_read(*stack, "/etc/a") == "above");
  CHECK_FALSE(stack->info("/etc/b"));
  CHECK_FALSE(stack->info("/opt/c"));
  CHECK(stack->list("/etc").size() == 1);
  CHECK(stack->list("/opt").empty());
}

namespace {

struct Debian : Tree {
  Debian() {
    write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian 12\"\n");
    write("sbin/init");
  }
  std::vector<std::string> ids() {
    std::vector<std::string> all;
    for (const auto& finding : read_folder(*files(), "/srv/web").findings) all.push_back(finding.id);
    return all;
  }
};
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Debian, "a folder without a kernel, or whose kernel knows no virtiofs, is told to be unable to boot") {
  CHECK(ids() == Ids{"folder-no-kernel"});
  write("boot/vmlinuz-6.1");
  write("boot/initrd.img-6.1");
  write("lib/modules/6.1/modules.dep", "kernel/fs/fuse/fuse.ko:\n");
  CHECK(ids() == Ids{"folder-no-virtiofs"});
  write("lib/modules/6.1/modules.dep", "kernel/fs/fuse/virtiofs.ko.xz: kernel/fs/fuse/fuse.ko.xz\n");
  CHECK(ids().empty());
  write("lib/modules/6.1/modules.dep", "");
  write("lib/modules/6.1/modules.builtin", "kernel/fs/fuse/virtiofs.ko\n");
  CHECK(ids().empty());
}

namespace {

// With a kernel whose modules are files, and an initramfs that holds some of them.
struct Kernel : Debian {
  Kernel() {
    write("boot/vmlinuz-6.1");
    write("lib/modules/6.1/modules.dep",
          "kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuse.ko\n"
          "kernel/drivers/virtio/virtio_pci.ko:\n");
    pack({"fs/fuse/virtiofs", "drivers/virtio/virtio_pci"});
  }
  void pack(const std::vector<std::string>& modules) {
    std::vector<std::pair<std::string, std::string>> files;
    for (const auto& module : modules) files.emplace_back("usr/lib/modules/6.1/kernel/" + module + ".ko.xz", "");
    write("boot/initrd.img-6.1", test::cpio_archive(files));
  }
  std::string remedy() { return read_folder(*files(), "/srv/my web").findings.at(0).remedy; }
};

}  // namespace

TEST_CASE_METHOD(Kernel, "whether an initramfs brings what the root is mounted by is seen in it") {
  write("etc/initramfs-tools/initramfs.conf", "MODULES=most\n");
  CHECK(ids().empty());
  pack({"drivers/virtio/virtio_pci"});
  CHECK(ids() == Ids{"folder-initramfs"});
  write("etc/initramfs-tools/modules", "virtiofs\n");  // and not made since
  CHECK(ids() == Ids{"folder-initramfs"});
  pack({"fs/fuse/virtiofs"});
  CHECK(ids() == Ids{"folder-initramfs"});
  write("lib/modules/6.1/modules.builtin", "kernel/drivers/virtio/virtio_pci.ko\n");
  CHECK(ids().empty());
}

TEST_CASE_METHOD(Kernel, "nothing that is advised writes to the folder") {
  write("etc/dracut.conf.d/10.conf", "hostonly=yes\n");
  pack({});
  CHECK(remedy().empty());  // a boot brings the modules
  std::filesystem::remove(root / "boot/initrd.img-6.1");
  CHECK(ids() == Ids{"folder-no-initramfs"});
  CHECK(remedy() == "that is for its owner to mend: by having one made in it");
}

TEST_CASE_METHOD(Kernel, "where no initramfs is unpacked, or it is broken, what its tool is told stands for it") {
  const auto quick = [&] { return read_folder(*files(), "/srv/web", Thoroughness::quick).findings.size(); };
  pack({});
  CHECK(quick() == 0);  // nothing says how it was made
  write("etc/dracut.conf.d/10.conf", "hostonly=yes\n");
  CHECK(quick() == 1);
  write("boot/initrd.img-6.1", "no archive");
  CHECK(ids() == Ids{"folder-initramfs"});
  write("etc/dracut.conf.d/20.conf", "add_drivers+=\" virtiofs \"\n");
  CHECK(quick() == 0);
  CHECK(ids().empty());
}

TEST_CASE_METHOD(Kernel, "a kernel whose virtiofs is a module does not boot without an initramfs") {
  std::filesystem::remove(root / "boot/initrd.img-6.1");
  CHECK(ids() == Ids{"folder-no-initramfs"});
  write("lib/modules/6.1/modules.builtin", "kernel/fs/fuse/virtiofs.ko\nkernel/drivers/virtio/virtio_pci.ko\n");
  CHECK(ids().empty());
}

TEST_CASE_METHOD(Debian, "an fstab that waits for disks is told, and one that does not is not") {
  write("boot/vmlinuz-6.1");
  write("etc/fstab", "hrvm / virtiofs defaults 0 0\ntmpfs /tmp tmpfs\nUUID=1 /mnt ext4 nofail\n");
  CHECK(ids().empty());
  write("etc/fstab", "UUID=1\t/ ext4 errors=remount-ro 0 1\n/dev/sda2 none swap sw\n");
  CHECK(ids() == Ids{"folder-fstab"});
  CHECK_THAT(read_folder(*files(), "/srv/web").findings.front().message,
             Catch::Contains("UUID=1 on /, /dev/sda2 on none"));
}

namespace {

// Does something when it is asked for the system's name.
struct Trapped : test::MemoryFiles {
  explicit Trapped(std::function<void()> trap) : act(std::move(trap)) { add("/etc/os-release", "ID=debian\n"); }
  std::size_t read(fs::Node node, std::uint64_t offset, std::span<std::byte> out) override {
    act();
    return MemoryFiles::read(node, offset, out);
  }
  std::function<void()> act;
};

std::vector<base::Finding> findings_of(fs::FileSystem& files, const std::filesystem::path& folder) {
  Disk disk;
  disk.kind = DiskKind::directory;
  disk.path = folder;
  return survey_folder(files, disk).contents.findings;
}

}  // namespace

TEST_CASE_METHOD(Debian, "a folder is surveyed in a child, and a reader that dies costs a finding and nothing else") {
  Trapped crashing([] { ::raise(SIGKILL); });
  const auto findings = findings_of(crashing, root);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].id == "probe-died");
  CHECK(findings[0].severity == base::Severity::error);
  CHECK_THAT(findings[0].message, Catch::Contains("killed by SIGKILL"));
  CHECK(findings_of(*files(), root).at(0).id == "folder-no-kernel");
}

TEST_CASE_METHOD(Debian, "what surveys a folder can neither connect nor write, whatever it is made to do") {
  Trapped connecting([] { ::socket(AF_INET, SOCK_STREAM, 0); });
  CHECK_THAT(findings_of(connecting, root).at(0).message, Catch::Contains("SIGSYS"));
  Trapped writing([this] { std::ofstream(root / "etc/os-release") << "changed"; });
  CHECK_THROWS(findings_of(writing, root));  // it goes on, and finds no init
  std::ifstream file(root / "etc/os-release");
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}).starts_with("ID=debian"));
}

TEST_CASE_METHOD(Debian, "links in a folder that run in circles, or lead to the host, end nowhere") {
  link("boot/vmlinuz-6.1", "vmlinuz-6.1");
  link("boot/vmlinuz-6.2", "/proc/self/exe");
  link("boot/vmlinuz-6.3", "../../../../../../../../bin/sh");
  link("etc/fstab", "/proc/self/mounts");
  CHECK(ids() == Ids{"folder-no-kernel"});
}

TEST_CASE_METHOD(Debian, "FIFOs, devices and giant files where a text should be cost no time and no memory") {
  REQUIRE(::mkfifo((root / "etc/fstab").c_str(), 0600) == 0);
  write("boot/vmlinuz-6.1");
  write("lib/modules/6.1/modules.dep");
  REQUIRE(::truncate((root / "lib/modules/6.1/modules.dep").c_str(), off_t(1) << 40) == 0);
  CHECK(ids() == Ids{"folder-no-virtiofs"});
  if (::geteuid() != 0) HRVM_SKIP("needs root");
  std::filesystem::remove(root / "etc/fstab");
  REQUIRE(::mknod((root / "etc/fstab").c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0);
  CHECK(ids() == Ids{"folder-no-virtiofs"});
}
