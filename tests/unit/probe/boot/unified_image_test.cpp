// Unified kernel images: what is in them, how they stand in a menu, and what their initramfs holds.
#include <catch2/catch.hpp>

#include <filesystem>

#include "hrvm/sys/files.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/boot/unified_image.hpp"
#include "probe/efi_loaders.hpp"
#include "probe/initramfs/initramfs.hpp"
#include "support/memory_files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "support/unified_image.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

constexpr const char* arch_release = "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n";

std::string archive_with(const std::string& module) {
  const test::TemporaryDirectory folder;
  folder.write("tree/usr/lib/modules/6.9.1/kernel/drivers/block/" + module + ".ko", "m");
  test::run_program({"sh", "-c",
                     "cd '" + (folder / "tree").string() + "' && find . | cpio -o --quiet -H newc > '" +
                         (folder / "cpio").string() + "'"});
  return sys::read_file(folder / "cpio", 1 << 20);
}

std::string arch_image(const std::string& version = "6.9.1-arch1-1") {
  return test::unified_image({{".osrel", arch_release},
                              {".cmdline", std::string("root=UUID=3f1c rw\n\0", 19)},
                              {".uname", version},
                              {".linux", "MZ the kernel"},
                              {".initrd", archive_with("virtio_blk")}});
}

std::optional<UnifiedImage> read(const std::string& bytes) {
  test::MemoryFiles files({{"/image.efi", bytes}});
  return read_unified_image(files, "/image.efi");
}

}  // namespace

TEST_CASE("a unified kernel image tells its command line, its system and its kernel's version") {
  const auto image = read(arch_image());
  REQUIRE(image);
  CHECK(image->command_line == "root=UUID=3f1c rw");
  CHECK(image->version == "6.9.1-arch1-1");
  CHECK(image->os_release.starts_with("NAME=\"Arch Linux\""));
  CHECK(image->initramfs);
}

TEST_CASE("what is no unified kernel image is none") {
  const auto image = arch_image();
  CHECK_FALSE(read(""));
  CHECK_FALSE(read("MZ"));
  CHECK_FALSE(read(std::string(4096, '\0')));
  CHECK_FALSE(read(image.substr(0, 0x100)));
  CHECK_FALSE(read(test::unified_image({{".text", "code"}, {".cmdline", "root=UUID=3f1c"}})));
  auto arm = image;
  arm[0x84] = '\x64', arm[0x85] = '\xaa';
  CHECK_FALSE(read(arm));
  auto thousands = image;
  thousands[0x86] = thousands[0x87] = '\xff';
  CHECK_FALSE(read(thousands));
}

TEST_CASE("a section that leaves its file, or a text too long to be meant, is left out") {
  CHECK(read(test::unified_image({{".linux", "k"}, {".cmdline", std::string(100'000, 'a')}}))->command_line.empty());
  const auto image = test::unified_image({{".linux", "k"}, {".initrd", std::string(5000, 'i')}});
  CHECK(read(image)->initramfs);
  CHECK_FALSE(read(image.substr(0, image.size() - 1024))->initramfs);
}

TEST_CASE("each profile of an image has its own sections, and those of all besides; the first starts by itself") {
  test::MemoryFiles files({{"/image.efi", test::unified_image({{".linux", "k"},
                                                               {".cmdline", "root=UUID=3f1c"},
                                                               {".profile", "ID=normal\n"},
                                                               {".initrd", "of the profile"},
                                                               {".profile", "ID=other\nTITLE=\"The other\"\n"},
                                                               {".cmdline", "rescue"}})}});
  const auto all = read_unified_images(files, "/image.efi");
  REQUIRE(all.size() == 2);
  CHECK(all[0].command_line == "root=UUID=3f1c");
  CHECK(all[0].initramfs);
  CHECK(all[1].command_line == "rescue");
  CHECK_FALSE(all[1].initramfs);
  CHECK(all[1].profile == "ID=other\nTITLE=\"The other\"");
  CHECK(read_unified_image(files, "/image.efi", 7)->command_line == "root=UUID=3f1c");
  // Where nothing is common to all.
  const auto alone = read(test::unified_image({{".profile", "ID=a"},
                                               {".linux", "k"},
                                               {".cmdline", "first"},
                                               {".profile", "ID=b"},
                                               {".linux", "k"},
                                               {".cmdline", "second"}}));
  REQUIRE(alone);
  CHECK(alone->command_line == "first");
}

TEST_CASE("systemd-boot offers each profile of an image, and an entry of the specification can choose one") {
  const auto image = test::unified_image({{".osrel", arch_release},
                                          {".linux", "k"},
                                          {".cmdline", "console=ttyS0"},
                                          {".profile", "ID=main\n"},
                                          {".profile", "ID=reset\nTITLE=Reset\n"},
                                          {".cmdline", "reset"}});
  test::MemoryFiles esp({{"/loader/loader.conf", "default arch.efi@reset\n"},
                         {"/loader/entries/x.conf", "title By entry\nuki /images/a.efi\nprofile 1\n"},
                         {"/loader/entries/y.conf", "title Own words\nefi /images/a.efi\noptions quiet\n"},
                         {"/images/a.efi", image},
                         {"/EFI/Linux/arch.efi", image}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  std::string text;
  for (const auto& each : menus[0].entries)
    text += each.id + (each.is_default ? "*" : "") + "|" + each.title + "|" + each.command_line + "\n";
  CHECK(text ==
        "arch.efi|Arch Linux (main)|console=ttyS0\narch.efi@reset*|Arch Linux (Reset)|reset\n"
        "y|Own words|quiet\nx|By entry|reset\n");
}

TEST_CASE("addons of all images, and of one, add to its command line") {
  const auto addon = [](const std::string& words) { return test::unified_image({{".cmdline", words}}); };
  test::MemoryFiles esp({{"/EFI/Linux/arch+3-1.efi", arch_image()},
                         {"/loader/addons/b.addon.efi", addon("b")},
                         {"/loader/addons/a.addon.efi", addon("a")},
                         {"/loader/addons/ignored.efi", addon("ignored")},
                         {"/EFI/Linux/arch.efi.extra.d/c.addon.efi", addon("console=ttyS0")},
                         {"/EFI/Linux/other.efi.extra.d/d.addon.efi", addon("d")}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  CHECK(menus[0].entries.at(0).command_line == "root=UUID=3f1c rw a b console=ttyS0");
}

TEST_CASE("an image by the name that firmware starts without an entry comes before what only entries start") {
  test::MemoryFiles esp({{"/EFI/BOOT/BOOTX64.EFI", arch_image("6.9.1")},
                         {"/EFI/vendor/new.efi", arch_image("6.10.2")},
                         {"/loader/entries/x.conf", "title Nobody reads it\nlinux /x\n"},
                         {"/x", "k"}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 2);
  CHECK(menus[0].path == "/EFI/BOOT/BOOTX64.EFI");
  CHECK(menus[0].entries.at(0).version == "6.9.1");
  CHECK(menus[1].entries.at(0).kernel == "/EFI/vendor/new.efi");
}

TEST_CASE("systemd-boot is known by its mark where it has another name") {
  test::MemoryFiles esp(
      {{"/EFI/BOOT/BOOTX64.EFI", test::unified_image({{".sdmagic", "#### LoaderInfo: systemd-boot 256 ####"}})},
       {"/loader/entries/x.conf", "title X\nlinux /x\n"},
       {"/x", "k"}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  CHECK(menus[0].loader == "systemd-boot");
  REQUIRE(menus[0].entries.size() == 1);
}

TEST_CASE("GRUB hands over to an image, which is the entry") {
  test::MemoryFiles boot(
      {{"/grub/grub.cfg", "menuentry Image { chainloader /a.efi }\nmenuentry Other { chainloader /shell.efi }\n"},
       {"/a.efi", arch_image()},
       {"/shell.efi", "MZ"}});
  const BootPlace places[] = {{"p1", "", "", false, &boot}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  CHECK(menus[0].entries.at(0).command_line == "root=UUID=3f1c rw");
  CHECK(menus[0].entries.at(1).kernel.empty());
}

TEST_CASE("sections that objcopy adds are found where it puts them") {
  const test::TemporaryDirectory folder;
  folder.write("cmdline", "root=LABEL=root quiet");
  folder.write("linux", std::string(10'000, 'k'));
  folder.write("initrd", archive_with("virtio_blk"));
  test::run_program({"grub-mkimage", "-O", "x86_64-efi", "-p", "/", "-o", folder / "stub.efi", "normal"});
  test::Words command{"objcopy"};
  int address = 0x2000000;
  for (const char* name : {"cmdline", "linux", "initrd"}) {
    const std::string section = std::string(".") + name;
    command.insert(command.end(), {"--add-section", section + "=" + (folder / name).string(), "--change-section-vma",
                                   section + "=" + std::to_string(address += 0x2000000)});
  }
  command.insert(command.end(), {folder / "stub.efi", folder / "image.efi"});
  test::run_program(command);
  test::MemoryFiles files({{"/image.efi", sys::read_file(folder / "image.efi", 64 << 20)}});
  const auto image = read_unified_image(files, "/image.efi");
  REQUIRE(image);
  CHECK(image->command_line == "root=LABEL=root quiet");
  CHECK(read_initramfs(files, "/image.efi", {"virtio_blk"}).has("virtio_blk"));
}

TEST_CASE("the initramfs of a unified kernel image is read in it, and one without has none") {
  test::MemoryFiles files({{"/with.efi", arch_image()}, {"/without.efi", test::unified_image({{".linux", "k"}})}});
  const auto found = read_initramfs(files, "/with.efi", {"virtio_blk", "nvme"});
  CHECK(found.has("virtio_blk"));
  CHECK(found.incomplete.empty());
  CHECK(found.kernel == "6.9.1");
  CHECK(read_initramfs(files, "/without.efi", {"virtio_blk"}).modules.empty());
}

TEST_CASE("systemd-boot offers unified kernel images by the names of their systems, the newest first") {
  test::MemoryFiles esp({{"/loader/loader.conf", "timeout 3\n"},
                         {"/EFI/Linux/arch-6.9.1.efi", arch_image("6.9.1")},
                         {"/EFI/Linux/arch-6.10.2+3-1.efi", arch_image("6.10.2")},
                         {"/EFI/Linux/broken.efi", "MZ"}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  CHECK(menus[0].loader == "systemd-boot");
  REQUIRE(menus[0].entries.size() == 2);
  const BootEntry& first = menus[0].entries[0];
  CHECK(first.is_default);
  CHECK(first.title == "Arch Linux");
  CHECK(first.id == "arch-6.10.2.efi");
  CHECK(first.version == "6.10.2");
  CHECK(first.command_line == "root=UUID=3f1c rw");
  CHECK(first.initramfs == std::vector<std::string>{"/EFI/Linux/arch-6.10.2+3-1.efi"});
  CHECK(menus[0].entries[1].version == "6.9.1");
}

TEST_CASE("loader.conf chooses a unified kernel image by its name") {
  test::MemoryFiles esp({{"/loader/loader.conf", "default arch-6.9*\n"},
                         {"/EFI/Linux/arch-6.9.1.efi", arch_image("6.9.1")},
                         {"/EFI/Linux/arch-6.10.2.efi", arch_image("6.10.2")}});
  const BootPlace places[] = {{"p1", "", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  REQUIRE(menus[0].entries.size() == 2);
  CHECK(menus[0].entries[1].is_default);
}

TEST_CASE("what lies in an extended boot partition stands in systemd-boot's menu, and its files are looked for there") {
  test::MemoryFiles esp;
  esp.add("/EFI/systemd/systemd-bootx64.efi", "MZ");
  test::MemoryFiles boot({{"/loader/entries/fedora.conf",
                           "title Fedora Linux\nversion 6.8.5\nlinux /fedora/6.8.5/linux\ninitrd /fedora/6.8.5/initrd\n"
                           "options root=UUID=3f1c\n"},
                          {"/fedora/6.8.5/linux", "k"}});
  test::MemoryFiles other;
  other.add("/loader/entries/ignored.conf", "title Another\nlinux /linux\n");
  const BootPlace places[] = {
      {"p1", "AAAA", "", true, &esp}, {"p2", "", "", false, &boot, true}, {"p3", "3f1c", "", false, &other}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  REQUIRE(menus[0].entries.size() == 1);
  const BootEntry& entry = menus[0].entries[0];
  CHECK(entry.title == "Fedora Linux");
  CHECK(place_of(entry, menus[0], places) == &places[1]);
}

TEST_CASE("a unified kernel image that the firmware starts by itself is a loader and an entry") {
  auto image = arch_image();
  test::MemoryFiles esp({{"/EFI/Linux/arch.efi", image}});
  const BootPlace places[] = {{"p1", "AAAA", "", true, &esp}};
  const auto menus = read_boot_menus(places);
  REQUIRE(menus.size() == 1);
  CHECK(menus[0].loader == "UEFI");
  CHECK(menus[0].entries[0].kernel == "/EFI/Linux/arch.efi");
  const auto loaders = find_efi_loaders(esp, 1).loaders;
  REQUIRE(loaders.size() == 1);
  CHECK(loaders[0].path == "/EFI/Linux/arch.efi");
  CHECK_FALSE(loaders[0].removable);
  test::MemoryFiles vendors(
      {{"/EFI/vendor/a.efi", image}, {"/EFI/vendor/tool.efi", test::unified_image({{".text", "x"}})}});
  REQUIRE(find_efi_loaders(vendors, 1).loaders.size() == 1);
}

TEST_CASE("every unified kernel image of the corpus ends in an image, or is none") {
  const std::filesystem::path corpus = HRVM_SOURCE_DIR "/tests/corpus/unified_image";
  const auto names = sys::list_directory(corpus);
  REQUIRE_FALSE(names.empty());
  for (const auto& name : names) {
    CAPTURE(name);
    test::MemoryFiles files({{"/image.efi", sys::read_file(corpus / name, 1 << 20)}});
    CHECK(read_unified_image(files, "/image.efi").has_value() == name.ends_with(".reads"));
    CHECK_NOTHROW(read_initramfs(files, "/image.efi", {"virtio_blk"}, 1 << 20));
  }
}
