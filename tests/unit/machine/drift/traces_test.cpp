#include <catch2/catch.hpp>

#include "hrvm/machine/fingerprint.hpp"
#include "machine/drift/traces.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

// A host with one disk, of which the kernel counts what is written.
class HostWithDisk {
 public:
  HostWithDisk() {
    test_host_.host.root = folder_.path();
    write("/dev/sda", "");
    boots("11111111-aaaa");
    attached("3");
    counts(4096, 8);
  }
  void write(const std::string& path, const std::string& text) const {
    write_file(folder_.path() / path.substr(1), text);
  }
  void boots(const std::string& id) const { write("/proc/sys/kernel/random/boot_id", id + "\n"); }
  void attached(const std::string& number) const { write("/sys/class/block/sda/diskseq", number + "\n"); }
  void counts(unsigned written, unsigned discarded, unsigned read = 700) const {
    write("/sys/class/block/sda/stat",
          fmt::format("     100        0 {:8}       20       30        0 {:8}       40        0 "
                      "      50       60        1        0 {:8}        0        9        3\n",
                      read, written, discarded));
  }
  Fingerprint traces() const {
    probe::Disk disk;
    disk.path = "/dev/sda";
    return {{}, {}, read_traces(test_host_.host, {disk})};
  }

 private:
  TemporaryFolder folder_;
  TestHost test_host_;
};

}  // namespace

TEST_CASE_METHOD(HostWithDisk,
                 "what is written to or discarded on a disk moves its counter, and what is read does not") {
  const auto then = traces();
  REQUIRE(then.traces.size() == 1);
  CHECK(then.traces[0].what == "write counter");
  counts(4096, 8, 123456);
  auto compared = compare_traces(then, traces());
  REQUIRE(compared.size() == 1);
  CHECK(compared[0].same);
  CHECK(touches(compared).empty());
  CHECK(looked_at(then, compared) == std::vector<std::string>{"write counter"});
  counts(4096 + 6, 8 + 2);
  compared = compare_traces(then, traces());
  CHECK_FALSE(compared[0].same);
  CHECK(touches(compared) == std::vector<std::string>{"4 KiB were written to it"});
}

TEST_CASE_METHOD(HostWithDisk,
                 "a counter of another boot, of a disk that was attached anew or of one less is not compared") {
  const auto then = traces();
  const auto nothing_is_said = [&] {
    const auto compared = compare_traces(then, traces());
    REQUIRE(compared.size() == 1);
    CHECK_FALSE(compared[0].is_known);
    CHECK(touches(compared).empty());
    CHECK(looked_at(then, compared).empty());
  };
  counts(9000, 8);
  boots("22222222-bbbb");
  nothing_is_said();
  boots("11111111-aaaa");
  attached("4");
  nothing_is_said();
  attached("3");
  counts(100, 0);
  nothing_is_said();
  write("/sys/class/block/sda/stat", "");
  nothing_is_said();
}

TEST_CASE_METHOD(HostWithDisk, "a disk whose writes the kernel does not count has no counter") {
  write("/sys/class/block/sda/queue/iostats", "0\n");
  CHECK(traces().traces.empty());
  write("/sys/class/block/sda/queue/iostats", "1\n");
  CHECK(traces().traces.size() == 1);
}

TEST_CASE_METHOD(HostWithDisk, "a fingerprint without traces says nothing of writes") {
  CHECK(compare_traces(Fingerprint{}, traces()).empty());
}

TEST_CASE("traces are kept in the definition, and a fingerprint of before them is read as one without") {
  const Fingerprint fingerprint{
      at("2026-03-01T12:00:00Z"), {{"size", "1 bytes"}}, {{"write counter", "1 + 0 sectors"}}};
  CHECK(fingerprint_from_json(to_json(fingerprint), "here") == fingerprint);
  const Fingerprint older{at("2026-03-01T12:00:00Z"), {{"size", "1 bytes"}}};
  CHECK(base::to_text(to_json(older), -1).find("traces") == std::string::npos);
  CHECK(fingerprint_from_json(to_json(older), "here").traces.empty());
}
