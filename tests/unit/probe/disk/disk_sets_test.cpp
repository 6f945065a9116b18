// What is told of disks that bear parts of the same thing, and are given together.
#include "probe/disk/disk_sets.hpp"

#include <catch2/catch.hpp>

using namespace hrvm;
using namespace hrvm::probe;
using Words = std::vector<std::string>;

namespace {

DiskSet mirror(const std::string& uuid, const std::string& name) {
  return {VolumeKind::md, uuid, name, false, {"member 2 of 2"}, {}};
}

// A disk that bears a member of each of two mirrors, with a system on the second.
SurveyAttempt half(const std::string& path) {
  Survey survey;
  survey.disk.path = path;
  Contents& contents = survey.contents;
  contents.sets = {mirror("u0", "md:boot"), mirror("u1", "md:root")};
  contents.volumes = {{"md:boot", VolumeKind::md, 1 << 20, "ext4", "", "", ""},
                      {"md:root", VolumeKind::md, 1 << 20, "ext4", "", "", ""}};
  System system;
  system.root = "md:root";
  contents.systems = {system};
  for (const char* subject : {"md:boot", "md:root"})
    contents.findings.push_back({"md-member-missing", base::Severity::warning, subject, "1 of 2", ""});
  contents.findings.push_back({"no-loader", base::Severity::warning, path, "x", ""});
  return {survey, std::nullopt};
}

Words ids(const SurveyAttempt& attempt) {
  Words found;
  for (const auto& finding : attempt.survey->contents.findings) found.push_back(finding.id);
  return found;
}

}  // namespace

TEST_CASE("two mirrors on two disks are told once, with the disk that boots, and the other refers to it") {
  std::vector<SurveyAttempt> attempts = {half("/b.img"), half("/a.img")};
  attempts[1].survey->contents.boot.bios = true;
  const auto shared = find_shared_sets(attempts);
  REQUIRE(shared.size() == 2);
  REQUIRE(shared[0].disks.front() == 1);
  // It was read together with the other.
  Contents& first = attempts[1].survey->contents;
  first.findings.clear();
  for (DiskSet& set : first.sets) set = {set.kind, set.uuid, set.name, true, {}, {}};
  tell_shared_sets(shared, attempts);
  CHECK(ids(attempts[1]) == Words{"disk-set"});
  CHECK(first.findings[0].message == "array md:boot, array md:root lie on several disks: /a.img, /b.img");
  CHECK(first.systems.size() == 1);
  const Contents& second = attempts[0].survey->contents;
  CHECK(ids(attempts[0]) == Words{"disk-set"});
  CHECK(second.findings[0].severity == base::Severity::note);
  CHECK(second.findings[0].message == "it bears a part of array md:boot, array md:root, which are told with /a.img");
  CHECK(second.systems.empty());
  CHECK(second.volumes.empty());
  CHECK(second.sets[0].missing.empty());
  CHECK(second.sets[0].disks == Words{"/a.img", "/b.img"});
}

TEST_CASE("what another disk has for itself is told with it") {
  std::vector<SurveyAttempt> attempts = {half("/a.img"), half("/b.img")};
  Contents& second = attempts[1].survey->contents;
  System own;
  own.root = "p3";
  second.systems.insert(second.systems.begin(), own);
  second.volumes.push_back({"vg/data", VolumeKind::lvm, 1 << 20, "ext4", "", "", ""});
  second.findings.push_back({"filesystem-unclean", base::Severity::note, "vg/data", "x", ""});
  tell_shared_sets(find_shared_sets(attempts), attempts);
  REQUIRE(second.systems.size() == 1);
  CHECK(second.systems[0].root == "p3");
  REQUIRE(second.volumes.size() == 1);
  CHECK(ids(attempts[1]) == Words{"no-loader", "filesystem-unclean", "disk-set"});
}
