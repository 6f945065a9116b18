// hrvm discover on recorded machines, in every rendering, and on what is damaged or not there.
#include <catch2/catch.hpp>

#include "cli/golden.hpp"
#include "cli/machine_fixture.hpp"
#include "support/disk_writer.hpp"
#include "support/recorded_disks.hpp"
#include "support/recorded_machines.hpp"

using namespace hrvm;

namespace {

// A 34 MiB image with one Linux partition that holds a Debian, to be damaged.
std::filesystem::path small_image(const test::TemporaryDirectory& folder) {
  const auto image = folder.path() / "debian.img";
  test::write_gpt(image, {.size_bytes = 34 << 20, .partitions = {{.first_lba = 2048, .last_lba = 33 * 2048 - 1}}});
  const test::TemporaryDirectory tree;
  tree.write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  tree.write("etc/hostname", "small\n");
  test::make_ext4(image, 1 << 20, 4096, "", "44444444-aaaa-4bbb-8ccc-000000000004", tree.path());
  return image;
}

}  // namespace

TEST_CASE("discover tells each recorded machine's disks, for people, scripts and programs") {
  const auto machine = GENERATE(as<std::string>{}, "bare", "laptop", "live", "server");
  test::TestHost host(test::recorded_machine(machine).root());
  test::check_golden(host, "discover/" + machine, {"discover"});
  test::check_golden(host, "discover/" + machine + "_plain", {"discover", "--plain"});
  test::check_golden(host, "discover/" + machine + "_json", {"discover", "--json", "--quick"});
}

TEST_CASE("discover --all tells also what rarely holds a system") {
  test::TestHost host(test::recorded_machine("bare").root());
  test::check_golden(host, "discover/bare_all", {"discover", "--all"});
}

TEST_CASE("discover of a damaged image tells what is left, and exits 3") {
  const test::TemporaryDirectory folder;
  const auto image = small_image(folder);
  test::write_at(image, 512 + 60, "x");
  test::TestHost host;
  test::Transcript transcript(host, "discover/damaged");
  transcript.replace(folder.path(), "FOLDER");
  CHECK(transcript.run({"discover", image}) == 3);
  transcript.check();
}

TEST_CASE("a disk that is named by two names is told once, and is no two disks of a machine") {
  const test::TemporaryDirectory folder;
  const std::string image = small_image(folder), link = folder / "link.img";
  std::filesystem::create_symlink(image, link);
  test::MachineStore store;
  CHECK(store.json({"discover", image, link, image})["disks"].items().size() == 1);
  CHECK(store.host().err.str().find(link + " is the same as " + image) != std::string::npos);
  CHECK(store.run({"import", image, "twice", "--disk", link}) == 2);
  CHECK(store.host().err.str().find("are the same disk") != std::string::npos);
}

TEST_CASE("of several sources the one that cannot be read is told, and the others are as well") {
  const test::TemporaryDirectory folder;
  const auto image = small_image(folder);
  test::TestHost host(test::recorded_machine("laptop").root());
  test::Transcript transcript(host, "discover/several_sources");
  transcript.replace(folder.path(), "FOLDER");
  CHECK(transcript.run({"discover", "--plain", folder.path() / "debia.img", image, "/dev/nvme0n1p2"}) == 1);
  transcript.check();
}

TEST_CASE("an image file that is no raw disk is named, with the way to one, and nothing in it is looked at") {
  const test::TemporaryDirectory folder;
  const std::string vdi = std::string(64, '<') + std::string("\x7f\x10\xda\xbe\1\0\1\0\x90\1\0\0\1\0\0\0", 16);
  folder.write("a disk.vdi", vdi + std::string(432, '\0'));
  folder.write("photo.img", "\x89PNG\r\n\x1a\n" + std::string(1000, '\0'));
  folder.write("passwd", std::string(32, 'x') + '\n');
  folder.write("users", std::string(600, 'x') + '\n');
  const auto image = small_image(folder);
  std::filesystem::copy_file(image, folder / "disk-flat.vmdk");
  folder.write("disk.vmdk", "# Disk DescriptorFile\nparentCID=ffffffff\nRW 69633 VMFS \"disk-flat.vmdk\"\n");
  test::set_size(image, (34 << 20) - 100);
  test::TestHost host;
  test::Transcript transcript(host, "discover/no_raw_disk");
  transcript.replace(folder.path(), "FOLDER");
  CHECK(transcript.run({"discover", folder / "a disk.vdi"}) == 3);
  CHECK(transcript.run({"discover", "--json", folder / "disk.vmdk"}) == 3);
  CHECK(transcript.run({"discover", folder / "disk-flat.vmdk"}) == 0);
  CHECK(transcript.run({"discover", folder / "photo.img"}) == 3);
  CHECK(transcript.run({"discover", folder / "passwd"}) == 0);
  CHECK(transcript.run({"discover", folder / "users"}) == 3);
  CHECK(transcript.run({"discover", image}) == 3);
  transcript.check();
}

TEST_CASE("a source that is no disk or image is the command's failure, each with its status") {
  const test::TemporaryDirectory folder;
  folder.write("empty.img", "");
  test::TestHost host(test::recorded_machine("laptop").root());
  test::Transcript transcript(host, "discover/no_disk");
  transcript.replace(folder.path(), "FOLDER");
  CHECK(transcript.run({"discover", "/dev/nvme0n1p2"}) == 4);
  CHECK(transcript.run({"discover", "/dev/nvme0n2"}) == 1);
  CHECK(transcript.run({"discover", folder.path()}) == 1);
  CHECK(transcript.run({"--json", "discover", "/dev/nvme0n1p1"}) == 4);
  CHECK(transcript.run({"discover", folder.path() / "empty.img"}) == 0);
  transcript.check();
}

TEST_CASE("an attached disk that cannot be opened is told by what the host knows of it") {
  const test::RecordedMachine machine("server");
  std::filesystem::remove(machine.file("/dev/sdb"));
  test::TestHost host(machine.root());
  test::Transcript transcript(host, "discover/unreadable");
  CHECK(transcript.run({"discover", "--plain"}) == 1);
  transcript.check();
}
