#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/sys/runner.hpp"
#include "support/temporary_directory.hpp"
#include "unit/launch/golden.hpp"
#include "unit/launch/variants.hpp"

using namespace hrvm;
using namespace hrvm::launch;
using Catch::Matchers::Contains;
using hrvm::launch::testing::Sample;

namespace {

bool fits_libvirt(const LaunchPlan& plan) {
  return plan.hardware.bus != machine::Bus::nvme && plan.network.forwards.empty() && plan.companions.shares.empty();
}

std::vector<std::pair<std::string, std::string>> domains() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& variant : launch::testing::variants()) {
    Sample sample;
    variant.change(sample);
    if (!fits_libvirt(sample.plan())) continue;
    all.emplace_back(variant.name, domain_xml(sample.plan()));
  }
  return all;
}

}  // namespace

TEST_CASE("each kind of machine has its domain") {
  for (const auto& [name, xml] : domains()) launch::testing::check_golden(name + ".xml", xml);
}

TEST_CASE("libvirt's schema accepts the domains") {
  const auto runner = sys::make_process_runner();
  const auto host = sys::real_host(*runner);
  for (const auto* program : {"virt-xml-validate", "xmllint"}) {
    INFO(program << " is installed by tests/deps.sh");
    REQUIRE(host.find_program(program));
  }
  const test::TemporaryDirectory folder;
  for (const auto& [name, xml] : domains()) {
    INFO(name);
    const auto file = folder.write(name + ".xml", xml);
    const auto result = runner->run({{"virt-xml-validate", file, "domain"}}, std::chrono::seconds{20});
    CHECK(result.err + result.out == file.string() + " validates\n");
    CHECK(result.exit_status == 0);
  }
}

TEST_CASE("a domain that is changed with its machine is the one that a boot of that machine would define") {
  for (const auto& variant : launch::testing::variants()) {
    Sample before;
    variant.change(before);
    if (!fits_libvirt(before.plan())) continue;
    INFO(variant.name);
    before.machine.definition.active.layer = before.layers[0].stem();
    auto now = before;
    now.machine.name = "db";
    now.machine.folder = "/srv/hrvm/db";
    now.machine.definition.snapshots = {{.name = "older", .layer = "b1"},
                                        {.name = "newer", .parent = "older", .layer = "b2"}};
    now.machine.definition.active.head = "newer";
    now.machine.definition.active.layer = "b3";
    now.machine.definition.active.nvram = "f9";
    now.nvram = now.machine.nvram_path("f9");
    now.layers.clear();
    for (const auto* layer : {"b3", "b2", "b1"}) now.layers.push_back(now.machine.layer_path(layer));
    CHECK(domain_xml_after(domain_xml(before.plan()), before.machine, now.machine) == domain_xml(now.plan()));
  }
}

TEST_CASE_METHOD(Sample, "only a domain that bears the mark and the machine's UUID is the machine's") {
  const auto xml = domain_xml(plan());
  const auto uuid = machine.definition.uuid;
  CHECK(is_domain_of(xml, uuid));
  CHECK_FALSE(is_domain_of(xml, base::Guid{}));
  for (const auto* part : {"urn:hrvm:machine:1", "hrvm:machine ", "metadata>"}) {
    auto other = xml;
    for (auto at = other.find(part); at != other.npos; at = other.find(part)) other[at + 2] = 'X';
    CHECK_FALSE(is_domain_of(other, uuid));
  }
  CHECK_FALSE(is_domain_of("", uuid));
  CHECK_FALSE(is_domain_of("<domain", uuid));
}

TEST_CASE_METHOD(Sample, "a domain without the machine's disk is not changed") {
  const auto xml = domain_xml(plan());
  auto elsewhere = machine;
  elsewhere.folder = "/srv/hrvm/web";
  CHECK_THROWS_WITH(domain_xml_after(xml, elsewhere, machine), Contains("no disk on the machine's layer"));
}

TEST_CASE_METHOD(Sample, "the owner of a base that is an image stays as it is") {
  host.disks[0].kind = probe::DiskKind::image;
  host.disks[0].stable_path = "/images/a.img";
  CHECK_THAT(domain_xml(plan()), Contains("<source file=\"/images/a.img\">\n"
                                          "          <seclabel model=\"dac\" relabel=\"no\" />"));
}

TEST_CASE_METHOD(Sample, "the owners of all files of a base that is a qcow2 image stay as they are") {
  host.disks[0].kind = probe::DiskKind::image;
  host.disks[0].format = probe::DiskFormat::qcow2;
  host.disks[0].files = {{.path = "/images/web.qcow2", .format = image::ImageFormat::qcow2},
                         {.path = "/images/base.img", .format = image::ImageFormat::raw}};
  for (const auto* path : {"/images/web.qcow2", "/images/base.img"}) {
    const auto xml = domain_xml(plan());
    const auto source = xml.find(std::string("<source file=\"") + path + "\">");
    REQUIRE(source != xml.npos);
    const auto next = xml.substr(xml.find('<', source + 1));
    CHECK_THAT(next, Catch::StartsWith("<seclabel model=\"dac\" relabel=\"no\" />"));
  }
}

TEST_CASE_METHOD(Sample, "files that libvirt's user cannot reach are opened by root, and relabelled by nobody") {
  CHECK_THAT(domain_xml(plan()), !Contains("static"));
  host.libvirt_as_root = true;
  host.disks[0].kind = probe::DiskKind::image;
  CHECK_THAT(domain_xml(plan()), !Contains("<seclabel model"));
  CHECK_THAT(domain_xml(plan()), Contains("<seclabel type=\"static\" model=\"dac\" relabel=\"no\">"));
}

TEST_CASE_METHOD(Sample, "what comes from a disk cannot leave its place in the XML") {
  machine.definition.disks[0].serial = "<a&\"'>";
  host.disks[0].stable_path = "/images/\"<a&>\".img";
  CHECK_THAT(domain_xml(plan()), !Contains("<serial>") && Contains("=\"/images/&quot;&lt;a&amp;>&quot;.img\""));
}

TEST_CASE_METHOD(Sample, "what libvirt cannot do is refused") {
  request.hardware.forwards.emplace().push_back({2222, 22});
  CHECK_THROWS_AS(domain_xml(plan()), base::Error);
  request.hardware.forwards.reset();
  request.hardware.bus = machine::Bus::nvme;
  CHECK_THROWS_AS(domain_xml(plan()), base::Error);
  request.hardware.bus.reset();
  request.hardware.cpu = "max,level=5";
  CHECK_THROWS_AS(domain_xml(plan()), base::Error);
}
