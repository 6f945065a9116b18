#include "hrvm/probe/folder.hpp"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <fstream>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/overlay.hpp"
#include "support/failing.hpp"
#include "support/run_program.hpp"
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
  if (::geteuid() != 0) return;
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

TEST_CASE_METHOD(Debian, "an initramfs that is made without virtiofs is told, with what mends it") {
  write("boot/vmlinuz-6.1");
  write("boot/initrd.img-6.1");
  write("lib/modules/6.1/modules.dep", "kernel/fs/fuse/virtiofs.ko:\n");
  write("etc/initramfs-tools/modules", "# virtiofs\n");
  CHECK(ids() == Ids{"folder-initramfs"});
  CHECK_THAT(read_folder(*files(), "/srv/my web").findings.front().remedy,
             Catch::Contains("chroot '/srv/my web' update-initramfs -u"));
  write("etc/initramfs-tools/modules", "virtiofs\n");
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
