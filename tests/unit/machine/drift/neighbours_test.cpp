#include "hrvm/machine/neighbours.hpp"

#include "hrvm/base/error.hpp"
#include "unit/machine/workshop.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

base::ErrorKind kind_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.kind();
  }
  FAIL("nothing was refused");
  return {};
}

}  // namespace

TEST_CASE("no store lies in the folder of a machine") {
  Workshop workshop;
  const auto folder = workshop.machine().folder;
  CHECK_NOTHROW(check_store_place(workshop.store.folder()));
  CHECK_NOTHROW(check_store_place(workshop.store.folder() / "not-there-yet/store"));
  for (const auto& place : {folder, folder / "sub", folder / "layers", folder / "not/there/yet"})
    CHECK(kind_of([&] { check_store_place(place); }) == base::ErrorKind::refused);
  sys::switch_link(workshop.store.folder().parent_path() / "link", folder);
  CHECK(kind_of([&] { check_store_place(workshop.store.folder().parent_path() / "link/sub"); }) ==
        base::ErrorKind::refused);
}

TEST_CASE("a layer that another machine lies on is not to be removed") {
  Workshop workshop;
  const auto web = workshop.machine();
  const std::vector<Path> files{web.active_layer()};
  CHECK_NOTHROW(check_no_base_among(workshop.store, "web", files));
  auto definition = web.definition;
  definition.disks[0].path = definition.disks[0].stable_path = web.active_layer();
  definition.disks[0].format = BaseFormat::qcow2;
  const auto other = stored(workshop.store, "other", definition);
  CHECK(kind_of([&] { check_no_base_among(workshop.store, "web", files); }) == base::ErrorKind::refused);
  CHECK_NOTHROW(check_no_base_among(workshop.store, "other", files));
  CHECK_NOTHROW(check_no_base_among(workshop.store, "web", {web.folder / "layers/another.qcow2"}));
  // What lies below that base counts as well.
  CHECK(kind_of([&] {
          check_no_base_among(workshop.store, "web", {web.folder.parent_path().parent_path() / "base.img"});
        }) == base::ErrorKind::refused);
}
