// Attributes that xfs_db sets, in the inode, in leaves and in blocks of their own.
#include "fs/xfs/acl.hpp"
#include "fs/xfs/directory_format.hpp"
#include "unit/fs/xfs/xfs_image.hpp"

namespace hrvm::fs::test {
namespace {

// xfs_db gives each value as many "v" as it is told.
Path make_with(const TemporaryDirectory& folder, const Options& options, const Options& attributes) {
  const auto image = make_xfs(folder, "f ---644 0 0 /dev/null\n", options);
  Options commands = {"path /f"};
  for (const auto& each : attributes) commands.push_back("attr_set " + each);
  ask_xfs_db(image, commands, true);
  return image;
}

std::vector<Attribute> attributes_of(block::BlockDevice& device) {
  const auto files = open_xfs(device);
  return files->attributes(node_of(*files, "/f"));
}

const std::vector<Options> layouts = {{}, {"-b", "size=1024"}, {"-m", "crc=0"}, {"-i", "size=1024"}};
// xfs_db makes no values of their own blocks in version 4.
bool has_remote(const Options& options) { return options != layouts[2]; }

template <typename... T>
std::string packed(const T&... values) {
  std::string text;
  (text.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
  return text;
}

}  // namespace

TEST_CASE("attributes in an inode of XFS are told by their name spaces, in order") {
  for (const auto& options : layouts) {
    const TemporaryDirectory folder;
    const auto device =
        block::open_device(make_with(folder, options, {"-u -v 3 b", "-s -v 2 capability", "-r -v 1 t", "-u -v 4 a"}));
    CHECK((attributes_of(*device) ==
           std::vector<Attribute>{
               {"security.capability", "vv"}, {"trusted.t", "v"}, {"user.a", "vvvv"}, {"user.b", "vvv"}}));
  }
}

TEST_CASE("a file of XFS without attributes has none, and neither has one that lost them") {
  const TemporaryDirectory folder;
  const auto image = make_with(folder, {}, {});
  CHECK(attributes_of(*block::open_device(image)).empty());
  ask_xfs_db(image, {"path /f", "attr_set -u -v 3000 a", "attr_remove -u a"}, true);
  CHECK(attributes_of(*block::open_device(image)).empty());
}

TEST_CASE("attributes in leaves, under a tree of them and with values of their own blocks are all told") {
  for (const auto& options : layouts) {
    for (const int count : {8, 300}) {
      CAPTURE(options, count);
      const TemporaryDirectory folder;
      std::vector<Attribute> expected;
      Options attributes;
      for (int i = 0; i < count; ++i) {
        const int length = i % 7 == 0 && has_remote(options) ? 2900 + i : 20 + i % 5;
        attributes.push_back(fmt::format("-u -v {} a-name-of-some-length-{:04}", length, i));
        expected.push_back({fmt::format("user.a-name-of-some-length-{:04}", i), std::string(std::size_t(length), 'v')});
      }
      if (has_remote(options)) {
        attributes.push_back("-u -v 65536 z");
        expected.push_back({"user.z", std::string(65536, 'v')});
      }
      const auto device = block::open_device(make_with(folder, options, attributes));
      CHECK((attributes_of(*device) == expected));
    }
  }
}

TEST_CASE("an attribute that is not complete, and a parent pointer, are left out") {
  const TemporaryDirectory folder;
  const auto image = make_with(folder, {}, {"-u -v 3000 a", "-u -v 100 b", "-u -v 100 c"});
  const auto leaf = offset_by_xfs_db(image, {"path /f", "ablock 0"});
  const auto whole = block::open_device(image);
  for (const auto flag : {xfs::attribute_incomplete, xfs::attribute_parent}) {
    Damaged device(*whole);
    const auto at = leaf + xfs::attribute_entries_5 + offsetof(xfs::AttributeEntry, flags);
    device.put(at, std::uint8_t(flag));
    CHECK(attributes_of(*whole).size() == 3);
    CHECK(attributes_of(device).size() == 2);
  }
}

TEST_CASE("attributes that leave their block, and leaves in a ring, are corrupt") {
  const TemporaryDirectory folder;
  const auto image = make_with(folder, {}, {"-u -v 3000 a", "-u -v 100 b"});
  const auto leaf = offset_by_xfs_db(image, {"path /f", "ablock 0"});
  const auto whole = block::open_device(image);
  const auto outcome = [&](std::uint64_t offset, auto value) {
    Damaged device(*whole);
    device.put(offset, value);
    return kind_of([&] { attributes_of(device); });
  };
  const std::uint64_t entry = leaf + xfs::attribute_entries_5;
  CHECK(outcome(entry + offsetof(xfs::AttributeEntry, place), base::be16(4095)) == base::ErrorKind::corrupt);
  CHECK(outcome(leaf + xfs::hash_header_5, base::be16(0xffff)) == base::ErrorKind::corrupt);
  CHECK(outcome(leaf + offsetof(xfs::HashHeader, magic), base::be16(7)) == base::ErrorKind::corrupt);
  CHECK(outcome(leaf, base::be32(1)) == base::ErrorKind::corrupt);  // the value's block is no leaf
}

TEST_CASE("an ACL of XFS has the form that getxattr gives") {
  using base::be16, base::be32, base::le16, base::le32;
  const auto none = be32(0xffffffff);
  Attribute acl{"trusted.SGI_ACL_FILE", packed(be32(3), be32(1), be32(0), be16(7), be16(0), be32(2), be32(1234),
                                               be16(5), be16(0), be32(0x20), be32(0), be16(4), be16(0))};
  Attribute as_default{"trusted.SGI_ACL_DEFAULT", acl.value}, short_of_one = acl, other{"trusted.other", acl.value};
  short_of_one.value.pop_back();
  xfs::take_as_acl(acl);
  CHECK(acl.name == "system.posix_acl_access");
  CHECK(
      (acl.value == packed(le32(2), le16(1), le16(7), none, le16(2), le16(5), le32(1234), le16(0x20), le16(4), none)));
  xfs::take_as_acl(as_default);
  CHECK((as_default == Attribute{"system.posix_acl_default", acl.value}));
  xfs::take_as_acl(short_of_one);
  CHECK(short_of_one.name == "trusted.SGI_ACL_FILE");
  xfs::take_as_acl(other);
  CHECK((other.name == "trusted.other" && other.value != acl.value));
}

}  // namespace hrvm::fs::test
