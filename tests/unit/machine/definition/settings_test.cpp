#include "hrvm/machine/settings.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "unit/machine/sample_machine.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

const HardwareSetting& setting(std::string_view name) {
  return *std::ranges::find(hardware_settings(), name, &HardwareSetting::name);
}

bool can_be(std::string_view name, const std::string& text) {
  Hardware hardware = sample_hardware();
  return set(setting(name), hardware, text);
}

// Something that a setting can be, and that sample_hardware() does not have.
std::string other_value(const HardwareSetting& setting) {
  const auto before = to_json(setting, sample_hardware());
  for (const std::string text :
       {"3G", "7", "host,-vmx", "nat", "+/images/other.img", "/images/other.iso", "2222:22", "/srv/data:data"})
    if (Hardware hardware = sample_hardware(); set(setting, hardware, text) && to_json(setting, hardware) != before)
      return text;
  for (const auto& text : choices_of(setting))
    if (Hardware hardware = sample_hardware(); set(setting, hardware, text) && to_json(setting, hardware) != before)
      return text;
  return "";
}

Hardware read_back(const Hardware& hardware) {
  auto definition = sample_definition();
  definition.active.hardware = hardware;
  return definition_from_json(to_json(definition), "x").active.hardware;
}

}  // namespace

TEST_CASE("each setting has a name and a member of its own") {
  std::set<std::string_view> names, members;
  for (const auto& each : hardware_settings()) {
    CHECK(names.insert(each.name).second);
    CHECK(members.insert(each.member).second);
  }
}

TEST_CASE("each setting that is set changes the hardware, and a definition keeps it") {
  for (const auto& each : hardware_settings()) {
    INFO(each.name);
    auto hardware = sample_hardware();
    REQUIRE(set(each, hardware, other_value(each)));
    CHECK(hardware != sample_hardware());
    CHECK(read_back(hardware) == hardware);
  }
}

TEST_CASE("no setting can be nonsense, and each says what it can be") {
  for (const auto& each : hardware_settings()) {
    INFO(each.name);
    auto hardware = sample_hardware();
    CHECK_FALSE(set(each, hardware, "no such value"));
    CHECK_FALSE(values_of(each).empty());
    for (const auto& choice : choices_of(each))
      if (choice.find('=') == choice.npos) CHECK(set(each, hardware, choice));
  }
}

TEST_CASE("what an option asks for is the hardware's, and what it does not ask for stays") {
  CHECK(with_request(sample_hardware(), {}) == sample_hardware());
  for (const auto& each : hardware_settings()) {
    if (each.option.help.empty()) continue;
    INFO(each.name);
    const auto text = other_value(each);
    auto expected = sample_hardware();
    set(each, expected, text);
    HardwareRequest request;
    REQUIRE(ask(each, request, text));
    CHECK(with_request(sample_hardware(), request) == expected);
  }
}

TEST_CASE("limits hold at the door, and are told with both bounds") {
  CHECK(can_be("memory", "16M"));
  CHECK(can_be("memory", "64T"));
  CHECK_FALSE(can_be("memory", "15M"));
  CHECK_FALSE(can_be("memory", "65T"));
  CHECK_FALSE(can_be("memory", "1073741825"));
  CHECK(values_of(setting("memory")) == "a size in whole MiB from 16 MiB to 64 TiB");
  CHECK(can_be("cpus", "1"));
  CHECK(can_be("cpus", "1024"));
  CHECK_FALSE(can_be("cpus", "0"));
  CHECK_FALSE(can_be("cpus", "1025"));
  CHECK(values_of(setting("cpus")) == "from 1 to 1024");
}

TEST_CASE("ports are forwarded as a list that takes the place of the one before, each port of the host once") {
  auto hardware = sample_hardware();
  const auto& forward = setting("forward");
  REQUIRE(set(forward, hardware, "2222:22,8080:80"));
  CHECK(hardware.forwards == std::vector<PortForward>{{2222, 22}, {8080, 80}});
  CHECK_FALSE(set(forward, hardware, "2222:22,2222:80"));
  for (const auto* bad : {"22", ":22", "0:22", "22:65536", "1:2:3", "a:b", "-1:22", "1:2,", "none,1:2"}) {
    CAPTURE(bad);
    CHECK_FALSE(set(forward, hardware, bad));
  }
  CHECK(hardware.forwards.size() == 2);
  for (const auto* none : {"none", ""}) {
    REQUIRE(set(forward, hardware, "1:2"));
    REQUIRE(set(forward, hardware, none));
    CHECK(hardware.forwards.empty());
  }
}

TEST_CASE("a folder is shared by a tag that is its own, for reading unless said otherwise, and taken away by the tag") {
  auto hardware = sample_hardware();
  const auto& share = setting("share");
  REQUIRE(set(share, hardware, "/srv/a:b, c:data"));
  REQUIRE(set(share, hardware, "+/srv/www:www,rw"));
  CHECK(hardware.shares == std::vector<Share>{{"/srv/a:b, c", "data", false}, {"/srv/www", "www", true}});
  CHECK(read_back(hardware) == hardware);
  REQUIRE(set(share, hardware, "/srv/other:data,rw"));
  CHECK(hardware.shares == std::vector<Share>{{"/srv/other", "data", true}, {"/srv/www", "www", true}});
  for (const auto* bad : {"/srv", "/srv:", "srv:data", ":data", "/srv:a b", "/srv:-a", "/srv:hrvm", "/srv:none",
                          "/srv:data,ro", "-none-such", "/srv:0123456789012345678901234567890123456"}) {
    CAPTURE(bad);
    CHECK_FALSE(set(share, hardware, bad));
  }
  REQUIRE(set(share, hardware, "-data"));
  CHECK(hardware.shares == std::vector<Share>{{"/srv/www", "www", true}});
  REQUIRE(set(share, hardware, "none"));
  CHECK(hardware.shares.empty());
}

TEST_CASE("a machine with numbers that an older hrvm took is read, and refused where it would boot") {
  auto hardware = sample_hardware();
  for (const std::uint64_t bytes : {base::MiB, 100 * base::TiB}) {
    hardware.memory_bytes = bytes;
    CHECK(read_back(hardware).memory_bytes == bytes);
    CHECK_THROWS_AS(check_limits(hardware), base::Error);
  }
  hardware = sample_hardware();
  hardware.cpus = 4096;
  CHECK(read_back(hardware).cpus == 4096);
  CHECK_THROWS_AS(check_limits(hardware), base::Error);
  CHECK_NOTHROW(check_limits(sample_hardware()));
}
