// What differs between the packages of two states, and the way through the pipe.
#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/probe/packages.hpp"

using namespace hrvm;
using probe::Package, probe::PackageChange, probe::PackageChangeKind, probe::PackageDatabase, probe::PackageManager;
using Databases = std::vector<PackageDatabase>;
using Changes = std::vector<PackageChange>;

namespace {

Databases of(PackageManager manager, std::vector<Package> packages) { return {{manager, std::move(packages), ""}}; }

constexpr auto dpkg = PackageManager::dpkg, rpm = PackageManager::rpm;
constexpr auto added = PackageChangeKind::added, removed = PackageChangeKind::removed;
constexpr auto upgraded = PackageChangeKind::upgraded, downgraded = PackageChangeKind::downgraded;

}  // namespace

TEST_CASE("packages come, go, and change their version by the manager's rule, in the order of their names") {
  const auto from =
      of(dpkg, {{"same", "1", "all"}, {"gone", "1", "all"}, {"up", "1.9", "amd64"}, {"down", "1:1", "all"}});
  const auto to = of(dpkg, {{"up", "1.10", "amd64"}, {"same", "1", "all"}, {"new", "2", "all"}, {"down", "2", "all"}});
  CHECK(probe::compare_packages(from, to) == Changes{
                                                 {dpkg, "down", "all", downgraded, "1:1", "2"},
                                                 {dpkg, "gone", "all", removed, "1", ""},
                                                 {dpkg, "new", "all", added, "", "2"},
                                                 {dpkg, "up", "amd64", upgraded, "1.9", "1.10"},
                                             });
}

TEST_CASE("of several versions at once each comes or goes by itself") {
  const auto from = of(rpm, {{"kernel", "5-1", "x86_64"}, {"kernel", "6-1", "x86_64"}});
  const auto to = of(rpm, {{"kernel", "6-1", "x86_64"}, {"kernel", "7-1", "x86_64"}});
  CHECK(probe::compare_packages(from, to) ==
        Changes{{rpm, "kernel", "x86_64", removed, "5-1", ""}, {rpm, "kernel", "x86_64", added, "", "7-1"}});
  const auto one = of(rpm, {{"kernel", "7-1", "x86_64"}});
  CHECK(probe::compare_packages(from, one).size() == 3);
}

TEST_CASE("several architectures are compared each with its own, and one that becomes another is the same package") {
  const auto from = of(dpkg, {{"libc6", "1", "amd64"}, {"libc6", "1", "i386"}, {"x", "1", "all"}});
  const auto to = of(dpkg, {{"libc6", "2", "amd64"}, {"libc6", "1", "i386"}, {"x", "2", "amd64"}});
  CHECK(probe::compare_packages(from, to) ==
        Changes{{dpkg, "libc6", "amd64", upgraded, "1", "2"}, {dpkg, "x", "amd64", upgraded, "1", "2"}});
}

TEST_CASE("a manager that one state has not has all come or gone, one that cannot be read says nothing") {
  const auto some = of(rpm, {{"a", "1-1", "noarch"}});
  CHECK(probe::compare_packages({}, some) == Changes{{rpm, "a", "noarch", added, "", "1-1"}});
  CHECK(probe::compare_packages(some, {}) == Changes{{rpm, "a", "noarch", removed, "1-1", ""}});
  CHECK(probe::compare_packages(some, {{rpm, {}, "it is a Berkeley DB"}}).empty());
}

TEST_CASE("packages come through a pipe as they are") {
  const Databases databases = {{dpkg, {{"a", "1", "all"}, {"b", "2:3-4", ""}}, ""}, {rpm, {}, "broken"}};
  CHECK(probe::packages_from_json(base::parse_json(base::to_text(probe::to_json(databases)), "it")) == databases);
  const Changes changes = {{dpkg, "a", "all", upgraded, "1", "2"}, {rpm, "b", "", removed, "1", ""}};
  CHECK(probe::package_changes_from_json(probe::to_json(changes)) == changes);
  CHECK(probe::package_owners_from_json(base::Json(std::vector<std::string>{"a", ""}), 2).at(0) == "a");
}

TEST_CASE("what a broken child sends is refused") {
  for (const char* text : {"null", "{}", "[1]", R"([{"manager":"x","packages":[],"unreadable":""}])",
                           R"([{"manager":"rpm","packages":[["a","b"]],"unreadable":""}])",
                           R"([{"manager":"rpm","packages":[["a","b",1]],"unreadable":""}])",
                           R"([{"manager":"rpm","packages":{},"unreadable":""}])"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(probe::packages_from_json(base::parse_json(text, "it")), base::Error);
  }
  CHECK_THROWS_AS(probe::package_changes_from_json(base::parse_json(R"([{"manager":"rpm"}])", "it")), base::Error);
  CHECK_THROWS_AS(probe::package_owners_from_json(base::parse_json(R"(["a"])", "it"), 2), base::Error);
}
