#include "hrvm/machine/share.hpp"

#include <catch2/catch.hpp>

#include "hrvm/machine/fingerprint.hpp"
#include "support/failing.hpp"
#include "support/recorded_machines.hpp"
#include "support/test_host.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;
using Catch::Contains;

namespace {

// A store with a machine "web" on an image, beside folders that may be shared.
struct Sharing {
  TemporaryFolder folder;
  testing::TestHost test_host;
  Store store{test_host.host, folder.path() / "store"};
  Definition definition = on("images/base.img", BaseKind::image);

  Sharing() {
    write_file(folder.path() / "images/base.img", std::string(1 << 20, 'B'));
    write_file(folder.path() / "srv/file", "");
    stored(store, "web", definition);
  }
  Definition on(const std::string& base, BaseKind kind) const {
    auto made = fresh_definition();
    made.disks[0].kind = kind;
    made.disks[0].format = kind == BaseKind::folder ? BaseFormat::folder : BaseFormat::raw;
    made.disks[0].path = made.disks[0].stable_path = (folder.path() / base).string();
    made.disks[0].size_bytes = 1 << 20;
    made.disks[0].wwn = made.disks[0].serial = made.disks[0].model = "";
    return made;
  }
  void check(const std::string& name, bool is_writable) const {
    check_share(test_host.host, store, definition, {(folder.path() / name).string(), "tag", is_writable});
  }
  base::Error refusal(const std::string& name, bool is_writable = false) const {
    return test::error_of([&] { check(name, is_writable); });
  }
};

}  // namespace

TEST_CASE_METHOD(Sharing, "a folder is shared, one that is not there or is none is not") {
  CHECK_NOTHROW(check("srv", false));
  CHECK_NOTHROW(check("srv", true));
  CHECK(refusal("srv/none").kind() == base::ErrorKind::not_found);
  CHECK(refusal("srv/file").kind() == base::ErrorKind::usage);
}

TEST_CASE_METHOD(Sharing, "the store is shared with no guest, by whatever name") {
  std::filesystem::create_directory_symlink(store.folder(), folder.path() / "srv/link");
  for (const auto* name : {"store", "store/web/layers", "", "srv/link/web"}) {
    CAPTURE(name);
    CHECK(refusal(name).kind() == base::ErrorKind::refused);
    CHECK_THAT(refusal(name).message(), Contains("store"));
  }
}

TEST_CASE_METHOD(Sharing, "no guest may write where a machine's image or folder lies") {
  std::filesystem::create_directories(folder.path() / "root/etc");
  write_file(folder.path() / "root/etc/hostname", "root");
  write_file(folder.path() / "others/other.img", std::string(1 << 20, 'C'));
  stored(store, "other", on("others/other.img", BaseKind::image));
  stored(store, "tree", on("root", BaseKind::folder));
  for (const auto* name : {"images", "others", "root", "root/etc"}) {
    CAPTURE(name);
    CHECK_NOTHROW(check(name, false));
    CHECK(refusal(name, true).kind() == base::ErrorKind::refused);
    CHECK_THAT(refusal(name, true).message(), Contains("the guest could write to"));
  }
}

TEST_CASE("what lies on a machine's disk, and where that is mounted, is shared in no way") {
  test::RecordedMachine recorded("server");
  for (const auto* name : {"srv/mounted/etc", "srv/again/etc", "mnt", "home"})
    std::filesystem::create_directories(recorded.root() / name);
  test::TestHost test_host(recorded.root());
  auto& host = test_host.host();
  const Store store(host, recorded.root() / "store");
  auto definition = fresh_definition();
  definition.disks[0] = identity_of(probe::locate_disk(host, "/dev/sda"));
  const auto check = [&](const std::string& folder) { check_share(host, store, definition, {folder, "tag", false}); };
  CHECK_NOTHROW(check("/srv/mounted/etc"));

  std::ofstream(recorded.root() / "proc/self/mountinfo", std::ios::app)
      << "40 22 8:3 / /srv/mounted ro,relatime - ext4 /dev/sda3 ro\n"
      << "41 22 8:3 /etc /srv/again/etc ro,relatime - ext4 /dev/sda3 ro\n"
      << "42 22 8:19 / /mnt rw,relatime - ext4 /dev/sdb3 rw\n";
  for (const auto* name : {"/srv/mounted", "/srv/mounted/etc", "/srv/again/etc"})
    CHECK_THAT(test::error_of([&] { check(name); }).message(), Contains("it lies on /dev/sda"));
  CHECK_THAT(test::error_of([&] { check("/srv"); }).message(), Contains("is mounted in it at /srv/mounted"));
  CHECK(test::error_of([&] { check("/srv"); }).kind() == base::ErrorKind::refused);
  CHECK_NOTHROW(check("/home"));
  CHECK_NOTHROW(check("/mnt"));
}
