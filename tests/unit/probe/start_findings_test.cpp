// What is told of a disk that nothing in a machine starts.
#include "probe/start_findings.hpp"

#include <catch2/catch.hpp>

using namespace hrvm;
using namespace hrvm::probe;

namespace {

constexpr const char* arm_root = "b921b045-1df0-41c3-af44-4c6f280d3fae";

Contents with_system(const std::string& architecture) {
  Contents contents;
  System system;
  system.name = "Debian GNU/Linux";
  system.family = SystemFamily::linux;
  system.root = "p2";
  system.architecture = architecture;
  contents.systems = {system};
  return contents;
}

// The id of what is told, "" for nothing.
std::string told(Contents contents, const std::vector<OtherLoader>& loaders = {}, std::string_view kernel = {}) {
  add_start_findings(contents, {"/dev/sda", loaders, kernel});
  return contents.findings.empty() ? "" : contents.findings.at(0).id;
}

std::vector<OtherLoader> loader(const std::string& architecture) { return {{1, "/EFI/BOOT/BOOT.EFI", architecture}}; }

SurveyedPartition of_type(const std::string& type) {
  SurveyedPartition surveyed;
  surveyed.partition.number = 2;
  surveyed.partition.type = type;
  return surveyed;
}

Contents booting(Contents contents) {
  contents.boot.bios = true;
  return contents;
}

}  // namespace

TEST_CASE("a system's own programs say for which processor it is, whatever starts beside it") {
  CHECK(told(with_system("arm64")) == "other-architecture");
  CHECK(told(booting(with_system("arm64"))) == "other-architecture");
  CHECK(told(booting(with_system("x86-64")), loader("arm64")).empty());
  CHECK(told(booting(with_system("x86"))).empty());
}

TEST_CASE("of several systems one for x86 is enough") {
  auto contents = booting(with_system("arm64"));
  contents.systems.push_back(with_system("x86-64").systems[0]);
  CHECK(told(contents).empty());
  contents.systems[1].inside = "pve/vm-100-disk-0";
  CHECK(told(contents) == "other-architecture");
}

TEST_CASE("where no program says it the kernel does, then the loader, then the partition's type") {
  CHECK(told(with_system(""), {}, "riscv64") == "other-architecture");
  CHECK(told(with_system(""), loader("arm64"), "x86-64") == "no-loader");
  CHECK(told(with_system(""), loader("arm64")) == "other-architecture");
  auto typed = with_system("");
  typed.partitions = {of_type(arm_root)};
  CHECK(told(typed) == "other-architecture");
  CHECK(told(booting(typed)).empty());
  typed.systems.clear();
  CHECK(told(typed) == "other-architecture");
}

TEST_CASE("a system that neither BIOS nor UEFI starts is told of, and so is an only loader of 32 bits") {
  CHECK(told(with_system("x86-64")) == "no-loader");
  CHECK(told(booting(with_system("x86-64"))).empty());
  auto contents = with_system("");
  const auto narrow = loader("x86");
  add_start_findings(contents, {"/dev/sda", narrow, {}});
  REQUIRE(contents.findings.size() == 1);
  CHECK(contents.findings[0].id == "no-loader");
  CHECK_THAT(contents.findings[0].message, Catch::Contains("32 bits, /EFI/BOOT/BOOT.EFI on p1"));
}

TEST_CASE("whose root can be no folder gets no advice to make it one") {
  Contents contents = with_system("x86-64");
  add_start_findings(contents, {"disk", {}, {}});
  CHECK(contents.findings.at(0).remedy.find("hrvm import FOLDER") != std::string::npos);
  contents.findings.clear();
  contents.systems[0].family = SystemFamily::unknown;
  add_start_findings(contents, {"disk", {}, {}});
  CHECK(contents.findings.at(0).remedy.find("hrvm import FOLDER") == std::string::npos);
}

TEST_CASE("of a disk of data nothing is told") {
  Contents data;
  data.partitions = {of_type("0fc63daf-8483-4772-8e79-3d69d8477de4")};
  CHECK(told(data).empty());
  CHECK(told({}).empty());
}
