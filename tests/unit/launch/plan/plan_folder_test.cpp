#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/launch/root_initramfs.hpp"
#include "hrvm/launch/virtiofs.hpp"
#include "support/failing.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"
#include "unit/launch/sample_plan.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using hrvm::launch::testing::Sample;

namespace {

struct FolderSample : Sample {
  FolderSample() {
    machine.definition.disks[0].kind = machine::BaseKind::folder;
    machine.definition.disks[0].format = machine::BaseFormat::folder;
    host.disks[0].kind = probe::DiskKind::directory;
    host.disks[0].path = "/srv/we:b";
    host.virtiofsd = "/usr/libexec/virtiofsd";
    host.kernel = {
        {"/store/web/upper", "/srv/we:b"}, "6.1", "/srv/we:b/boot/vmlinuz-6.1", "/srv/we:b/boot/initrd.img-6.1"};
    layers = {"/store/web/layers/a.folder", "/store/web/layers/b.folder"};
  }
};

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

TEST_CASE_METHOD(FolderSample, "a folder's layers are an overlay: the active above, the frozen and the folder below") {
  const auto folder = plan().companions.folder.value();
  REQUIRE(folder.overlay);
  CHECK(folder.overlay->upper == "/store/web/layers/a.folder/upper");
  CHECK(folder.overlay->work == "/store/web/layers/a.folder/work");
  CHECK(folder.overlay->lowers == std::vector<machine::Path>{"/store/web/layers/b.folder/upper", "/srv/we:b"});
  CHECK(folder.folder == folder.overlay->mount_point);
  CHECK_THAT(folder.overlay->options(), Catch::Contains("lowerdir=/store/web/layers/b.folder/upper:/srv/we\\:b,"));
}

TEST_CASE_METHOD(FolderSample, "a direct machine has no overlay, but its throw-away boot has one over the folder") {
  machine.definition.disks[0].format = machine::BaseFormat::direct;
  layers.pop_back();
  CHECK_FALSE(plan().companions.folder->overlay);
  CHECK(plan().companions.folder->folder == "/srv/we:b");
  layers.insert(layers.begin(), "/store/web/tmp/1/layer.folder");
  CHECK(plan().companions.folder->overlay->lowers == std::vector<machine::Path>{"/srv/we:b"});
}

TEST_CASE_METHOD(FolderSample, "QEMU starts the folder's kernel with shared memory and no disk") {
  const auto command = qemu_command(plan());
  CHECK(has(command, "/srv/we:b/boot/vmlinuz-6.1"));
  CHECK(has(command, "vhost-user-fs-pci,chardev=root0,tag=hrvm,queue-size=1024"));
  CHECK(has(command, "root=hrvm rootfstype=virtiofs rw console=tty0 console=ttyS0"));
  CHECK(std::ranges::none_of(command, [](const auto& word) { return word.find("drive=disk") != word.npos; }));
}

TEST_CASE_METHOD(FolderSample, "what a folder's machine lacks or cannot have is said") {
  request.hardware.bus = machine::Bus::sata;
  CHECK(test::kind_of([&] { plan(); }) == base::ErrorKind::usage);
  request.hardware.bus.reset();
  host.kernel = {};
  CHECK_THAT(test::error_of([&] { plan(); }).message(), Catch::Contains("there is no kernel in /srv/we:b"));
  host.virtiofsd.clear();
  CHECK_THAT(test::error_of([&] { plan(); }).hint(), Catch::Contains("apt install virtiofsd"));
}

TEST_CASE("the extra initramfs has the modules for a root by virtiofs with what they need, as cpio reads it") {
  const test::TemporaryDirectory folder;
  const auto modules = folder / "root/usr/lib/modules/6.1";
  const auto write = [&](const std::string& path, const std::string& text) {
    std::filesystem::create_directories((modules / path).parent_path());
    std::ofstream(modules / path) << text;
  };
  write("modules.dep",
        "kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuse.ko\nkernel/fs/fuse/fuse.ko:\nkernel/x/other.ko:\n");
  write("kernel/fs/fuse/virtiofs.ko", "virtiofs");
  write("kernel/fs/fuse/fuse.ko", "fuse!");
  write("kernel/x/other.ko", "other");
  std::filesystem::create_directory_symlink("usr/lib", folder / "root/lib");
  const auto files = fs::open_folder({folder / "root"});
  std::ofstream(folder / "archive", std::ios::binary) << cpio_archive(*files, root_modules(*files, "6.1"));
  CHECK(
      test::run_program({"sh", "-c", "cpio -t --quiet < " + (folder / "archive").string()}) ==
      "usr\nusr/lib\nusr/lib/modules\nusr/lib/modules/6.1\nusr/lib/modules/6.1/kernel\nusr/lib/modules/6.1/kernel/fs\n"
      "usr/lib/modules/6.1/kernel/fs/fuse\nusr/lib/modules/6.1/kernel/fs/fuse/virtiofs.ko\n"
      "usr/lib/modules/6.1/kernel/fs/fuse/fuse.ko\nusr/lib/modules/6.1/modules.dep\n");
  CHECK(root_modules(*files, "6.2").empty());
}
