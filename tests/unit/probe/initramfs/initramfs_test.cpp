// Archives made by cpio and packed by the tools that initramfs-tools, dracut and mkinitcpio call.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "hrvm/base/error.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/initramfs/initramfs.hpp"
#include "support/cpio_archive.hpp"
#include "support/disk_writer.hpp"
#include "support/memory_files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

const std::string modules = "usr/lib/modules/6.1.0-18-amd64/kernel/drivers/";
const std::set<std::string> asked = {"virtio_blk", "virtio_pci", "nvme", "ahci"};

std::string content(const std::filesystem::path& path) { return sys::read_file(path, 64u << 20); }

// A folder packed by cpio(1) in the order of names, as all the tools do.
std::string archive(const test::TemporaryDirectory& folder, const std::string& format = "newc") {
  const test::TemporaryDirectory out;
  test::run_program({"sh", "-c",
                     "cd '" + folder.path().string() + "' && find . | LC_ALL=C sort | cpio -o --quiet -H " + format +
                         " > '" + (out / "cpio").string() + "'"});
  return content(out / "cpio");
}

std::string packed(const std::string& bytes, const std::string& command) {
  const test::TemporaryDirectory folder;
  folder.write("in", bytes);
  test::run_program(
      {"sh", "-c", command + " < '" + (folder / "in").string() + "' > '" + (folder / "out").string() + "'"});
  return content(folder / "out");
}

std::string main_archive() {
  const test::TemporaryDirectory folder;
  folder.write("etc/cmdline.d/95resume.conf", "resume=UUID=5b6d\n");
  folder.write("etc/crypttab", "sda3_crypt UUID=1234 none luks\n");
  folder.write(modules + "block/virtio_blk.ko", std::string(40'000, 'b'));
  folder.write(modules + "nvme/host/nvme.ko.xz", "n");
  folder.write(modules + "virtio/virtio_pci.ko.zst", std::string(1'000'000, 'p'));
  folder.write("zz/last", "the end");
  return archive(folder);
}

std::string microcode() {
  const test::TemporaryDirectory folder;
  folder.write("kernel/x86/microcode/GenuineIntel.bin", std::string(3'000'000, 'm'));
  return archive(folder);
}

Initramfs read(std::string bytes, const std::set<std::string>& wanted = asked) {
  test::MemoryFiles files({{"/boot/initrd.img", std::move(bytes)}});
  return read_initramfs(files, "/boot/initrd.img", wanted);
}

void check_main(const Initramfs& found) {
  CHECK(found.incomplete.empty());
  CHECK(found.modules == std::set<std::string>{"virtio_blk", "virtio_pci", "nvme"});
  CHECK(found.kernel == "6.1.0-18-amd64");
  CHECK(found.configuration.size() == 2);
  CHECK(found.configuration.at("etc/crypttab") == "sda3_crypt UUID=1234 none luks\n");
}

}  // namespace

TEST_CASE("modules are told by their names, whatever packs them") {
  CHECK(module_name("usr/lib/modules/6.1.0/kernel/drivers/nvme/host/nvme-core.ko.xz") == "nvme_core");
  CHECK(module_name("virtio_blk.ko") == "virtio_blk");
  CHECK(module_name("ahci.ko.zst") == "ahci");
  CHECK(module_name("etc/crypttab").empty());
  CHECK(module_name("ahci.koala").empty());
}

TEST_CASE("an initramfs is read through every compression that kernels know") {
  const auto command = GENERATE(as<std::string>{}, "cat", "gzip -9", "xz --check=crc32 --lzma2=dict=1MiB", "lzma",
                                "bzip2", "lz4 -l", "zstd -q -19", "zstd -q -1");
  INFO(command);
  check_main(read(packed(main_archive(), command)));
}

TEST_CASE("archives with checksums are read as well, and old ones told") {
  const test::TemporaryDirectory folder;
  folder.write(modules + "block/virtio_blk.ko", "b");
  CHECK(read(archive(folder, "crc")).has("virtio_blk"));
  CHECK_FALSE(read(archive(folder, "odc")).incomplete.empty());
}

TEST_CASE("microcode before the archive is passed over, whatever follows it") {
  const auto command = GENERATE(as<std::string>{}, "cat", "gzip", "xz --check=crc32", "lz4 -l", "zstd -q", "bzip2");
  INFO(command);
  check_main(read(microcode() + packed(main_archive(), command)));
}

TEST_CASE("several packed archives in a row are all read") {
  const test::TemporaryDirectory folder;
  folder.write(modules + "ata/ahci.ko.zst", "a");
  const std::string more = archive(folder);
  for (const std::string command : {"gzip", "xz --check=crc32", "zstd -q", "bzip2"}) {
    INFO(command);
    const auto found =
        read(microcode() + packed(main_archive(), command) + std::string(512, '\0') + packed(more, "gzip"));
    CHECK(found.incomplete.empty());
    CHECK(found.modules == asked);
  }
}

TEST_CASE("reading ends when all that was asked for is known") {
  const std::string bytes = packed(main_archive(), "cat") + std::string(20'000'000, 'x');
  test::MemoryFiles files({{"/initrd", bytes}});
  const auto found = read_initramfs(files, "/initrd", {"virtio_blk", "nvme"});
  CHECK(found.modules.size() == 2);
  CHECK(found.incomplete.empty());
  CHECK(files.bytes_read <= 2u << 20);
}

TEST_CASE("what is not unpacked is not read when it can be passed over") {
  const test::TemporaryDirectory folder;
  folder.write("a", std::string(10'000'000, 'a'));
  folder.write("b.ko", "b");
  test::MemoryFiles files({{"/initrd", archive(folder)}});
  CHECK(read_initramfs(files, "/initrd", {"b", "c"}).has("b"));
  CHECK(files.bytes_read <= 3u << 20);
}

TEST_CASE("an initramfs that is cut, broken, or packed in an unknown way is told as incomplete") {
  const std::string whole = packed(main_archive(), "zstd -q");
  CHECK_FALSE(read(whole.substr(0, whole.size() / 2)).incomplete.empty());
  CHECK_FALSE(read("\x89LZO" + std::string(100, 'x')).incomplete.empty());
  std::string broken = packed(main_archive(), "gzip");
  broken[broken.size() / 2] = char(~broken[broken.size() / 2]);
  CHECK_FALSE(read(broken).incomplete.empty());
  const std::string plain = packed(main_archive(), "cat");
  CHECK(read(plain.substr(0, plain.size() - 600'000)).incomplete == "a cpio archive ends before its trailer");
}

TEST_CASE("what lies in a filesystem within an initramfs is not known, whatever that is called") {
  const std::string squashfs = "hsqs" + std::string(5000, 's');
  const std::string erofs = std::string(1024, '\0') + "\xe2\xe1\xf5\xe0" + std::string(5000, 'e');
  for (const auto& [name, bytes] : {std::pair<std::string, std::string>{"squash-root.img", "x"},
                                    {"erofs-root.img", "x"},
                                    {"squashfs-root.img", "x"},
                                    {"nix-store.squashfs", squashfs},
                                    {"a/b", erofs}}) {
    CAPTURE(name);
    const auto found = read(test::cpio_archive({{"init", "#!"}, {name, bytes}, {"usr/lib/z.ko", "z"}}));
    CHECK(found.incomplete == "its drivers lie in " + name + ", which is not read");
  }
  CHECK(read(test::cpio_archive({{"init", std::string(9000, 'x')}})).incomplete.empty());
}

TEST_CASE("an initramfs that unpacks to more than a gibibyte is left") {
  const test::TemporaryDirectory folder;
  test::run_program({"sh", "-c", "head -c 1200M /dev/zero | zstd -q > '" + (folder / "bomb").string() + "'"});
  CHECK(read(content(folder / "bomb")).incomplete == "it unpacks to more than hrvm reads");
}

TEST_CASE("a file that is said to be larger than any initramfs is not read through") {
  const test::TemporaryDirectory folder;
  test::set_size(folder / "initrd", 500ull << 30);
  const auto files = fs::open_folder({folder.path()});
  CHECK_THROWS_WITH(read_initramfs(*files, "/initrd", asked), Catch::Contains("which no initramfs has"));
}

TEST_CASE("links to an initramfs are followed, and one that is missing is an error") {
  test::MemoryFiles files;
  files.add("/boot/initrd.img-6.1", packed(main_archive(), "gzip")).link("/initrd.img", "boot/initrd.img-6.1");
  CHECK(read_initramfs(files, "/initrd.img", asked).has("nvme"));
  CHECK_THROWS_AS(read_initramfs(files, "/initrd.img.old", asked), base::Error);
}
