// A hash of all of a disk that is cut off, and goes on.
#include "hrvm/machine/full_hash.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "unit/machine/fixture.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using namespace hrvm::machine::testing;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

struct Image {
  TemporaryFolder folder;
  TestHost test_host;
  Path path = folder.path() / "disk.img", note = folder.path() / "hashing/1";
  std::string content = std::string(5 * MiB / 2, 'a') + std::string(5 * MiB / 2, 'b');
  BaseIdentity identity = sample_base();

  Image() {
    write_file(path, content);
    identity.kind = BaseKind::image;
    identity.path = identity.stable_path = path;
    identity.size_bytes = content.size();
    identity.wwn = identity.serial = identity.model = "";
  }

  // Until so much is hashed. Gives the hash, or nothing, and what was hashed first.
  std::string hash(std::uint64_t cut_off_at = 0) {
    const auto disk = *find_base(test_host.host, identity);
    first_done = 0;
    const auto progress = [&](std::uint64_t done) {
      if (first_done == 0) first_done = done;
      if (cut_off_at != 0 && done >= cut_off_at) throw base::Error(base::ErrorKind::interrupted, "interrupted");
    };
    try {
      return hash_base_on(test_host.host, disk, take_fingerprint(test_host.host, {disk}), note, progress);
    } catch (const base::Error& error) {
      REQUIRE(error.kind() == base::ErrorKind::interrupted);
      return {};
    }
  }
  bool is_noted() const { return sys::status(note).type == sys::FileType::regular; }
  std::uint64_t first_done = 0;
};

}  // namespace

TEST_CASE("a SHA-256 is what everybody else's is") {
  CHECK(sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE_METHOD(Image, "a hash that was cut off goes on where it was, as often as it is, and comes to the same") {
  CHECK(hash(2 * MiB).empty());
  CHECK(is_noted());
  CHECK(hash(3 * MiB).empty());
  CHECK(first_done == 3 * MiB);
  CHECK(hash() == sha256_of(content));
  CHECK(first_done == 4 * MiB);
  CHECK_FALSE(is_noted());
  CHECK(hash() == sha256_of(content));
  CHECK(first_done == MiB);
}

TEST_CASE_METHOD(Image, "what was written to meanwhile is hashed from its start, whatever it holds now") {
  hash(2 * MiB);
  write_file(path, content);
  CHECK(hash() == sha256_of(content));
  CHECK(first_done == MiB);
}

TEST_CASE_METHOD(Image, "a note that is none, or another disk's, is not believed") {
  hash(2 * MiB);
  const auto noted = base::parse_json(sys::read_file(note), "note");
  const auto is_believed = [&](const base::Json& json) {
    write_file(note, base::to_text(json));
    CHECK(hash() == sha256_of(content));
    return first_done != MiB;
  };
  CHECK(is_believed(noted));
  auto other = noted;
  CHECK_FALSE(is_believed(other.set("path", "/images/other.img")));
  other = noted;
  CHECK_FALSE(is_believed(other.set("size_bytes", 6 * MiB)));
  other = noted;
  CHECK_FALSE(is_believed(other.set("offset", 2 * MiB + 64)));
  other = noted;
  CHECK_FALSE(is_believed(other.set("offset", 64 * MiB)));
  other = noted;
  CHECK_FALSE(is_believed(other.set("sha256", std::string(64, 'x'))));
  CHECK_FALSE(is_believed(base::Json::array()));
}
