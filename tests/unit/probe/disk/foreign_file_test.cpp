// Files that are no raw disk: each is named by its first bytes, and what is a disk is not taken for one of them.
#include "probe/disk/foreign_file.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/devices.hpp"
#include "hrvm/image/foreign_formats.hpp"
#include "hrvm/image/vmdk_descriptor.hpp"
#include "hrvm/probe/disk.hpp"
#include "probe/disk/tar.hpp"
#include "probe/disk/vhd.hpp"
#include "probe/disk/vmdk.hpp"
#include "support/disk_writer.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_host.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using image::VhdFooter;
using namespace std::string_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

std::unique_ptr<block::BlockDevice> device(std::string bytes, const std::string& name = "/none/x") {
  const auto view = std::as_bytes(std::span(bytes));
  return block::memory_device({view.begin(), view.end()}, name);
}

std::optional<ForeignFile> container(std::string bytes, const std::string& name = "/none/x") {
  return find_container(*device(std::move(bytes), name));
}

std::string padded(std::string begin, std::size_t size = 4096) {
  begin.resize(std::max(begin.size(), size));
  return begin;
}

std::string vhd_footer(std::uint32_t type, std::uint64_t bytes) {
  VhdFooter footer{};
  std::string_view("conectix").copy(footer.cookie.data(), 8);
  footer.current_bytes = bytes;
  footer.type = type;
  std::uint32_t sum = 0;
  for (const auto byte : std::as_bytes(std::span(&footer, 1))) sum += std::uint32_t(byte);
  footer.checksum = ~sum;
  const auto view = std::as_bytes(std::span(&footer, 1));
  std::string text(view.size(), '\0');
  std::memcpy(text.data(), view.data(), view.size());
  return text;
}

std::string tar_member(const std::string& name, std::string content, const std::string& size = "") {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  const auto octal = size.empty() ? fmt::format("{:011o}", content.size()) : size;
  header.replace(124, octal.size(), octal);
  header.replace(148, 8, 8, ' ');
  header[156] = '0';
  header.replace(257, 8, "ustar\00000"s);
  unsigned sum = 0;
  for (const char c : header) sum += std::uint8_t(c);
  header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  content.resize((content.size() + 511) / 512 * 512);
  return header + content;
}

constexpr auto descriptor_head = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n";

}  // namespace

TEST_CASE("another hypervisor's image is named, with the line by which QEMU converts it") {
  struct Row {
    std::string begin, what, format;
  };
  const auto row = GENERATE(values<Row>({
      {"vhdxfile", "a VHDX disk image", "vhdx"},
      {"QED\0"s, "a QED disk image", "qed"},
      {"QFI\xfb\0\0\0\1"s, "a qcow disk image of version 1", "qcow"},
      {"WithoutFreeSpace", "a Parallels disk image", "parallels"},
      {"WithouFreSpacExt", "a Parallels disk image", "parallels"},
      {"#!/bin/sh\n#V2.0 Format\n", "a cloop disk image", "cloop"},
      {"KDMV\1\0\0\0"s + std::string(20, '\0') + "\1"s, "a sparse VMDK disk image", "vmdk"},
      {std::string(64, '<') + "\x7f\x10\xda\xbe\1\0\1\0\x90\1\0\0\1\0\0\0"s, "a VDI disk image", "vdi"},
      {"conectix"s + std::string(52, '\0') + "\0\0\0\3"s, "a dynamic VHD disk image", "vpc"},
  }));
  const auto found = container(padded(row.begin));
  REQUIRE(found);
  CHECK_THAT(found->what, StartsWith(row.what));
  CHECK(found->remedy == "convert it, and import what comes out: qemu-img convert -f " + row.format +
                             " -O qcow2 /none/x /none/x.qcow2 && hrvm import /none/x.qcow2");
}

TEST_CASE("a stream-optimized VMDK is told from a sparse one") {
  auto bytes = padded("KDMV\3\0\0\0"s + std::string(20, '\0') + "\1"s);
  bytes[77] = '\1';
  CHECK(container(bytes)->what == "a stream-optimized VMDK disk image (VMware)");
}

TEST_CASE("what holds only the changes since a snapshot is not converted alone") {
  const auto vdi = container(padded(std::string(64, '<') + "\x7f\x10\xda\xbe\1\0\1\0\x90\1\0\0\4\0\0\0"s));
  CHECK_THAT(vdi->what, Contains("differencing VDI"));
  CHECK_THAT(vdi->remedy, Contains("VBoxManage clonemedium disk /none/x NEW.vdi") && !Contains("qemu-img"));
  const auto vhd = container(padded("conectix"s + std::string(52, '\0') + "\0\0\0\4"s));
  CHECK_THAT(vhd->what, Contains("differencing VHD"));
  CHECK_THAT(vhd->remedy, !Contains("qemu-img"));
}

TEST_CASE("a packed file is named, with the line that unpacks it") {
  struct Row {
    std::string begin, what, way;
  };
  const auto row = GENERATE(values<Row>({
      {"\x1f\x8b\x08\x08"s, "a file packed by gzip", "gzip -dc"},
      {"\xfd\x37zXZ\0\0\4"s, "a file packed by xz", "xz -dc"},
      {"\x28\xb5\x2f\xfd", "a file packed by zstd", "zstd -dc"},
      {"BZh9\x31\x41\x59\x26\x53\x59", "a file packed by bzip2", "bzip2 -dc"},
      {"\x04\x22\x4d\x18", "a file packed by lz4", "lz4 -dc"},
      {"\x89LZO\0\r\n\x1a\n"s, "a file packed by lzop", "lzop -dc"},
  }));
  const auto found = container(padded(row.begin));
  REQUIRE(found);
  CHECK(found->what == row.what);
  CHECK(found->remedy ==
        "unpack it, and import what comes out: " + row.way + " /none/x > /none/x.raw && hrvm import /none/x.raw");
}

TEST_CASE("an archive is named, with the line that unpacks it") {
  CHECK(container(padded("PK\3\4"s))->remedy ==
        "unpack it, look at what comes out, and import the image in it: unzip -d /none/x.d /none/x && hrvm discover "
        "/none/x.d/*");
  CHECK_THAT(container(padded("7z\xbc\xaf\x27\x1c"))->remedy, Contains("7z x -o/none/x.d /none/x && "));
  CHECK_THAT(container(padded("VMA\0"s))->remedy, Contains("vma extract /none/x /none/x.d && "));
  const auto tar = container(tar_member("disk.img", "x") + std::string(1024, '\0'));
  CHECK(tar->what == "a tar archive");
  CHECK_THAT(tar->remedy, Contains("mkdir /none/x.d && tar -xf /none/x -C /none/x.d && hrvm discover /none/x.d/*"));
}

TEST_CASE("a name with blanks is quoted in the line, and one that is taken is not written to") {
  const test::TemporaryDirectory folder;
  const auto path = (folder / "a disk.vdi").string();
  folder.write("a disk.vdi.qcow2", "");
  const auto found = container(padded("vhdxfile"), path);
  CHECK_THAT(found->remedy, EndsWith("'" + path + "' '" + path + "-2.qcow2' && hrvm import '" + path + "-2.qcow2'"));
}

TEST_CASE("an OVA is told by its description, and each disk in it is converted") {
  const auto ova = tar_member("web.ovf", "<xml/>") + tar_member("web-disk1.vmdk", "KDMV") +
                   tar_member("web-disk2.vmdk", "KDMV") + tar_member("../evil.vmdk", "x") + std::string(1024, '\0');
  const auto found = container(ova, "/none/web.ova");
  CHECK_THAT(found->what, StartsWith("an OVA appliance"));
  CHECK(found->remedy ==
        "unpack it, convert its disk, and import that: mkdir /none/web.ova.d && tar -xf /none/web.ova -C "
        "/none/web.ova.d && qemu-img convert -f vmdk -O qcow2 /none/web.ova.d/web-disk1.vmdk "
        "/none/web.ova.d/web-disk1.vmdk.qcow2 && qemu-img convert -f vmdk -O qcow2 /none/web.ova.d/web-disk2.vmdk "
        "/none/web.ova.d/web-disk2.vmdk.qcow2 && hrvm import /none/web.ova.d/web-disk1.vmdk.qcow2 --disk "
        "/none/web.ova.d/web-disk2.vmdk.qcow2");
}

TEST_CASE("a tar archive is listed in bounds, and not where a checksum is wrong") {
  const auto list = [](const std::string& bytes) { return list_tar(*device(bytes)); };
  CHECK(list(tar_member("a", "1") + tar_member("b", std::string(513, 'x')) + tar_member("c", "")) ==
        std::vector<std::string>{"a", "b", "c"});
  CHECK(list(tar_member("a", "", "77777777777")) == std::vector<std::string>{"a"});
  CHECK(list(tar_member("a", "", "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"s) + tar_member("b", "")) ==
        std::vector<std::string>{"a"});
  auto wrong = tar_member("a", "1");
  wrong[0] = 'b';
  CHECK_FALSE(list(wrong));
  CHECK_FALSE(container(wrong));
  std::string many;
  for (int i = 0; i < 300; ++i) many += tar_member("x", "");
  CHECK(list(many)->size() == 256);
}

TEST_CASE("a fixed VHD is told by a footer of the right checksum and size alone") {
  const std::string disk(8192, '\0');
  const auto found = container(disk + vhd_footer(2, disk.size()));
  REQUIRE(found);
  CHECK_THAT(found->what, StartsWith("a fixed VHD disk image"));
  CHECK_FALSE(container(disk + vhd_footer(2, disk.size() - 512)));
  auto wrong = vhd_footer(2, disk.size());
  wrong[70] = 'x';
  CHECK_FALSE(container(disk + wrong));
  CHECK_FALSE(container(vhd_footer(2, disk.size()) + disk));
}

TEST_CASE("a fixed VHD is told although the disk in it has a partition table") {
  auto disk = std::string(34 << 20, '\0');
  const auto image = test::gpt_image({.size_bytes = disk.size(), .partitions = {{.first_lba = 64, .last_lba = 127}}});
  std::memcpy(disk.data(), image.data(), image.size());
  CHECK_FALSE(container(disk));
  CHECK(container(disk + vhd_footer(2, disk.size())));
}

TEST_CASE("a partition table goes before a magic") {
  auto disk = padded("KDMV");
  const auto sector = test::dos_sector({{.first_lba = 1, .sectors = 4}}, 7);
  std::memcpy(disk.data() + 440, sector.data() + 440, 72);
  CHECK_FALSE(container(disk));
}

TEST_CASE("no container: an ISO, LUKS, an empty disk, what is too short, and a magic that is none on a closer look") {
  std::string iso(40960, '\0');
  iso.replace(32768, 6, "\1CD001");
  CHECK_FALSE(container(iso));
  CHECK_FALSE(container(padded("LUKS\xba\xbe\0\2"s)));
  CHECK_FALSE(container(std::string(4096, '\0')));
  CHECK_FALSE(container(""));
  CHECK_FALSE(container("K"));
  CHECK_FALSE(container(padded("\x1f\x8b\x08\xff")));
  CHECK_FALSE(container(padded("BZh9what")));
  CHECK_FALSE(container(padded("QFI\xfb\0\0\0\3"s)));
}

TEST_CASE("a VMDK descriptor points at the raw disk beside it") {
  const test::TemporaryDirectory folder;
  const auto path = (folder / "web.vmdk").string(), flat = (folder / "web-flat.vmdk").string();
  const auto text = descriptor_head + "RW 16 VMFS \"web-flat.vmdk\"\n"s;
  CHECK_THAT(container(text, path)->remedy, StartsWith("put web-flat.vmdk beside it, then convert it"));
  folder.write("web-flat.vmdk", std::string(8192, '\0'));
  CHECK(container(text, path)->remedy == "import the raw disk that it describes: hrvm import " + flat);
  CHECK_THAT(container(descriptor_head + "RW 16 FLAT \"web-flat.vmdk\" 1\n"s, path)->remedy, StartsWith("convert it"));
  CHECK_FALSE(container(std::string(8192, '\0'), flat));
  CHECK(descriptor_of_flat(flat) == path);
  CHECK(descriptor_of_flat("/x-flat.img").empty());
}

TEST_CASE("a VMDK descriptor that takes files from elsewhere is not converted unseen") {
  const auto text = descriptor_head + "RW 16 FLAT \"/etc/shadow\" 0\n"s;
  CHECK_THAT(container(text)->remedy, StartsWith("it takes its data from /etc/shadow; if that is its own, convert it"));
}

TEST_CASE("a descriptor is read by its lines, and what is none of it is not") {
  const auto read = image::read_vmdk_descriptor(
      "# Disk DescriptorFile\r\nparentCID = 0badcafe\nparentFileNameHint=\"web.vmdk\"\nRW 1 SPARSE \"a\"\nRW x\n"
      "RW 1 SPARSE \"b\nRDONLY 1 FLAT \"c d\" 63\nRW 1 ZERO\n");
  REQUIRE(read);
  CHECK(read->has_parent);
  CHECK(read->parent == "web.vmdk");
  REQUIRE(read->extents.size() == 2);
  CHECK(read->extents[0].file == "a");
  CHECK(read->extents[1].type == "FLAT");
  CHECK(read->extents[1].file == "c d");
  CHECK(read->extents[1].offset_sectors == 63);
  CHECK_FALSE(image::read_vmdk_descriptor("# Disk"));
}

TEST_CASE("an extent of a split VMDK leads to its descriptor") {
  const test::TemporaryDirectory folder;
  const auto path = (folder / "web-s001.vmdk").string(), raw = (folder / "web-f002.vmdk").string();
  const auto extent = padded("KDMV\1\0\0\0"s);
  CHECK_THAT(container(extent, path)->remedy, Contains("not beside it"));
  CHECK_FALSE(container(std::string(4096, '\0'), raw));
  const auto descriptor = folder.write("web.vmdk", descriptor_head).string();
  CHECK_THAT(container(extent, path)->remedy, EndsWith("qemu-img convert -f vmdk -O qcow2 " + descriptor + " " +
                                                       descriptor + ".qcow2 && hrvm import " + descriptor + ".qcow2"));
  CHECK_THAT(container(std::string(4096, '\0'), raw)->what, Contains("a part of the VMDK disk image"));
  folder.write("web.vmdk", descriptor_head + "RW 8 FLAT \"web-f002.vmdk\" 0\n"s);
  folder.write("web-f002.vmdk", std::string(4096, '\0'));
  CHECK_FALSE(container(std::string(4096, '\0'), raw));
  CHECK_THAT(container(padded("COWD"), (folder / "web-delta.vmdk").string())->what, Contains("a part of the VMDK"));
}

TEST_CASE("a part of a split image is told by its other parts, and kept versions of an image are none") {
  const test::TemporaryDirectory folder;
  const auto first = test::dos_sector({{.first_lba = 1, .sectors = 400}}, 7);
  std::string begin(first.size(), '\0');
  std::memcpy(begin.data(), first.data(), first.size());
  const auto path = folder.write("a disk.img.001", begin).string();
  CHECK_FALSE(find_container(*block::open_device(path)));
  const auto next = folder.write("a disk.img.002", std::string(512, '\0')).string();
  const auto line = "cat '" + (folder / "a disk.img").string() + "'.[0-9][0-9][0-9] > '" +
                    (folder / "a disk.img.raw").string() + "' && hrvm import '" + (folder / "a disk.img.raw").string() +
                    "'";
  const auto part = find_container(*block::open_device(path));
  REQUIRE(part);
  CHECK(part->what == "part 1 of an image that is split into several files");
  CHECK_THAT(part->remedy, EndsWith(line));
  CHECK(find_container(*block::open_device(next))->what == "part 2 of an image that is split into several files");
  folder.write("a disk.img.002", begin);
  CHECK_FALSE(find_container(*block::open_device(path)));
}

TEST_CASE("what begins as something else than a disk is named") {
  const auto named = [](std::string begin) { return looks_like(*device(padded(std::move(begin)))); };
  CHECK(named("\x89PNG\r\n\x1a\n") == "a PNG picture");
  CHECK(named("\xff\xd8\xff\xe0") == "a JPEG picture");
  CHECK(named("%PDF-1.7\n") == "a PDF document");
  CHECK(named("\x7f\x45LF\2") == "an ELF program or library");
  CHECK(named("MZ"s + std::string(58, '\0') + "\x40\0\0\0PE\0\0"s) == "a program for Windows or UEFI");
  CHECK(named("MZ").empty());
  CHECK(named("").empty());
  CHECK(looks_like(*device("")).empty());
  CHECK(looks_like(*device("root:x:0:0:root:/root:/bin/bash\n")) == "a text");
  CHECK(looks_like(*device(std::string(512, 'x'))) == "a text");
}

TEST_CASE("an image is located as the container that it is, and not read as a disk") {
  test::TestHost host;
  const test::TemporaryDirectory folder;
  const auto disk = locate_disk(host.host(), folder.write("c.qed", padded("QED\0"s)).string());
  REQUIRE(disk.container);
  CHECK_THAT(disk.container->what, StartsWith("a QED"));
  const auto qcow1 = locate_disk(host.host(), folder.write("c.qcow", padded("QFI\xfb\0\0\0\1"s)).string());
  REQUIRE(qcow1.container);
  CHECK_FALSE(locate_disk(host.host(), folder.write("c.img", padded("")).string()).container);
}
