// A folder with a root filesystem, from its discovery to what a machine on it cannot do.
#include <catch2/catch.hpp>

#include <filesystem>

#include "cli/machine_fixture.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/files.hpp"

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
  // As a guest would.
  void change(const std::string& path, const std::string& text) {
    const auto place = machine::upper_of(store().load("web").active_layer()) / path;
    std::filesystem::create_directories(place.parent_path());
    sys::AtomicFile file(place, 0644);
    file.write(text);
    file.commit();
  }
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

TEST_CASE_METHOD(FolderStore,
                 "what a guest changed of a folder is told since its base, and between any two of its states") {
  REQUIRE(run({"import", root(), "web"}) == 0);
  auto transcript = this->transcript("folder/diff");
  CHECK(transcript.run({"diff", "web"}) == 0);
  change("etc/hostname", "mail\n");
  change("srv/a\tb\n\\", "new");
  REQUIRE(run({"snapshot", "create", "web@one"}) == 0);
  change("etc/hostname", "web\n");
  change("srv/more", std::string(2048, 'x'));
  CHECK(transcript.run({"diff", "web@one"}) == 0);
  CHECK(transcript.run({"diff", "web@one", "web"}) == 0);
  CHECK(transcript.run({"diff", "web", "web@one", "--plain"}) == 0);
  CHECK(transcript.run({"diff", "web", "--plain"}) == 0);
  CHECK(transcript.run({"diff", "web@one", "--json"}) == 0);
  CHECK(transcript.run({"diff", "web", "--stat"}) == 0);
  CHECK(transcript.run({"diff", "web", "--stat", "--plain"}) == 0);
  transcript.check();
}

TEST_CASE_METHOD(FolderStore, "where files are not told, diff says what to do instead") {
  REQUIRE(run({"import", root(), "web", "--direct"}) == 0);
  REQUIRE(run({"import", base(), "disk"}) == 0);
  auto transcript = this->transcript("folder/diff_refused");
  CHECK(transcript.run({"diff", "web"}) == 1);
  CHECK(transcript.run({"diff", "disk", "web@none"}) == 1);
  CHECK(transcript.run({"diff", "disk", "--content", "/etc/none"}) == 1);
  CHECK(transcript.run({"diff", "web@none"}) == 1);
  CHECK(transcript.run({"diff", "none"}) == 1);
  transcript.check();
}

TEST_CASE_METHOD(
    FolderStore,
    "what a machine on a folder has no use for is not told of it, and list tells whose guest writes to it") {
  REQUIRE(run({"import", root(), "web", "--direct"}) == 0);
  for (const char* member : {"firmware", "bus", "secure_boot"})
    CHECK(json({"show", "web"})["machines"].items().at(0)[member].is_null());
  host().forget();
  REQUIRE(run({"list"}) == 0);
  CHECK_THAT(host().out.str(), Catch::Contains("DIRECT") && Catch::Contains("yes"));
  host().forget();
  REQUIRE(run({"show", "web"}) == 0);
  for (const char* word : {"Firmware", "Bus", "Secure Boot"}) CHECK_THAT(host().out.str(), !Catch::Contains(word));
}

TEST_CASE_METHOD(FolderStore, "a machine on a folder takes no setting that it has not, but can be set back") {
  REQUIRE(run({"import", root(), "web"}) == 0);
  for (const char* setting : {"firmware=uefi", "bus=sata", "secure-boot=on"}) CHECK(run({"set", "web", setting}) == 2);
  CHECK(run({"set", "web", "firmware=bios"}) == 0);
  CHECK(run({"set", "web", "memory=1G"}) == 0);
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
