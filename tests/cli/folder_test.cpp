// A folder with a root filesystem, from its discovery to what a machine on it cannot do.
#include <catch2/catch.hpp>

#include <filesystem>

#include "machine_fixture.hpp"

using namespace hrvm;

namespace {

struct FolderStore : test::MachineStore {
  FolderStore() {
    host().host().uid = 0;
    write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    write("etc/hostname", "web\n");
    write("etc/fstab", "UUID=1 / ext4 errors=remount-ro 0 1\n");
    write("sbin/init");
    write("boot/vmlinuz-6.1.0-18-amd64");
    write("boot/initrd.img-6.1.0-18-amd64");
  }
  void write(const std::string& path, const std::string& text = "x") {
    std::filesystem::create_directories((folder() / "root" / path).parent_path());
    folder().write("root/" + path, text);
  }
  std::string root() const { return folder() / "root"; }
};

}  // namespace

TEST_CASE_METHOD(FolderStore, "a folder is told, becomes a machine, and what means nothing for one is refused") {
  auto transcript = this->transcript("folder/machine");
  CHECK(transcript.run({"discover", root()}) == 0);
  CHECK(transcript.run({"import", root(), "--memory", "512M", "--cpus", "1"}) == 0);
  CHECK(transcript.run({"snapshot", "create", "web@one"}) == 0);
  CHECK(transcript.run({"export", "web", folder() / "web.img"}) == 1);
  CHECK(transcript.run({"verify", "web"}) == 0);
  CHECK(transcript.run({"verify", "web", "--full"}) == 1);
  CHECK(transcript.run({"import", root(), "--bus", "sata"}) == 2);
  CHECK(transcript.run({"import", base(), "--direct"}) == 2);
  transcript.check();
}

TEST_CASE_METHOD(FolderStore, "a folder that moved under a machine is told by the folders in it that did") {
  REQUIRE(run({"import", root(), "web"}) == 0);
  write("etc/new");
  auto transcript = this->transcript("folder/moved");
  CHECK(transcript.run({"verify", "web"}) == 3);
  CHECK(transcript.run({"boot", "web"}) == 4);
  transcript.check();
}

TEST_CASE_METHOD(FolderStore, "a machine that writes to its folder itself has no states") {
  auto transcript = this->transcript("folder/direct");
  CHECK(transcript.run({"import", root(), "--direct", "--memory", "512M", "--cpus", "1"}) == 0);
  CHECK(json({"show", "web"})["machines"].items().at(0)["base"]["direct"] == base::Json(true));
  write("etc/new");
  CHECK(transcript.run({"verify", "web"}) == 0);
  CHECK(transcript.run({"reset", "web"}) == 1);
  CHECK(transcript.run({"snapshot", "create", "web@one"}) == 1);
  transcript.check();
}

TEST_CASE_METHOD(FolderStore,
                 "what is no root filesystem, or has no kernel, is not imported, and nothing is left behind") {
  std::filesystem::remove_all(folder() / "root/boot");
  auto transcript = this->transcript("folder/refused");
  CHECK(transcript.run({"import", root()}) == 1);
  std::filesystem::remove(folder() / "root/etc/os-release");
  CHECK(transcript.run({"import", root()}) == 1);
  CHECK(transcript.run({"discover", root()}) == 1);
  CHECK(transcript.run({"--store", folder() / "root/store", "import", root()}) == 4);
  host().host().uid = 1000;
  CHECK(transcript.run({"import", root()}) == 1);
  transcript.check();
  CHECK(store().names().empty());
}
