#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/md_disk.hpp"

namespace hrvm::volume::test {
namespace {

using base::ByteOrder;

// Members, and what is put together of them.
class Disks {
 public:
  void add(Bytes bytes) {
    const auto name = "p" + std::to_string(devices_.size() + 1);
    devices_.push_back(block::memory_device(std::move(bytes), name));
    members_.push_back({devices_.back().get(), name});
  }
  Assembly assemble() { return assemble_md(members_); }

 private:
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<Member> members_;
};

// As many as it has members, each of data of the given length.
std::vector<MadeMember> members_of(MadeMember made, const std::vector<std::uint64_t>& lengths) {
  std::vector<MadeMember> all;
  made.members = std::uint32_t(lengths.size());
  made.roles.clear();
  for (std::uint16_t i = 0; i < lengths.size(); ++i) made.roles.push_back(i);
  for (std::uint32_t i = 0; i < lengths.size(); ++i) {
    made.number = i;
    made.data = lengths[i];
    made.device = made.version == 90 ? lengths[i] + 64 * base::KiB : made.data_offset + lengths[i] + 16 * base::KiB;
    all.push_back(made);
  }
  return all;
}

Assembly assembled(Disks& disks, const std::vector<MadeMember>& members, ByteOrder order = ByteOrder::little) {
  for (const auto& each : members) disks.add(member_bytes(each, order));
  return disks.assemble();
}

std::uint64_t mark_at(block::BlockDevice& device, std::uint64_t offset) {
  return base::load<base::le64>(device.read(offset, 8));
}

std::vector<std::string> ids(const Assembly& made) {
  std::vector<std::string> all;
  for (const auto& finding : made.findings) all.push_back(finding.id);
  return all;
}

using Ids = std::vector<std::string>;
constexpr std::uint64_t KiB = base::KiB;

// The order in which the kernel's raid0 goes round its members, said once more and in another way: byte by byte.
std::uint64_t raid0_mark(const std::vector<MadeMember>& members, std::uint64_t offset, bool by_zone) {
  const auto chunk = members[0].chunk;
  std::uint64_t zone_start = 0, zone_depth = 0;
  for (;;) {
    std::vector<unsigned> round;
    std::uint64_t shortest = ~0ull;
    for (const auto& each : members)
      if (const auto length = each.data / chunk * chunk; length > zone_depth) {
        round.push_back(each.number);
        shortest = std::min(shortest, length);
      }
    REQUIRE_FALSE(round.empty());
    const auto zone_end = zone_start + (shortest - zone_depth) * round.size();
    if (offset < zone_end) {
      const auto in_zone = offset - zone_start;
      const auto member = round[(by_zone ? in_zone : offset) / chunk % round.size()];
      const auto within = in_zone / (chunk * round.size()) * chunk + offset % chunk;
      return md_mark(member, (zone_depth + within) / 512);
    }
    zone_start = zone_end;
    zone_depth = shortest;
  }
}

void check_raid0(block::BlockDevice& device, const std::vector<MadeMember>& members, bool by_zone) {
  const auto all = device.read(0, std::size_t(device.size()));
  for (std::uint64_t at = 0; at < all.size(); at += 512)
    REQUIRE(base::load<base::le64>(all, at) == raid0_mark(members, at, by_zone));
}

}  // namespace

TEST_CASE("RAID1 shows what each of its members holds, whatever the version of the superblock") {
  for (const unsigned version : {0u, 1u, 2u, 90u})
    for (const auto order : {ByteOrder::little, ByteOrder::big}) {
      if (order == ByteOrder::big && version != 90) continue;
      CAPTURE(version);
      MadeMember made;
      made.version = version;
      made.used = 100 * KiB;
      Disks disks;
      const auto assembly = assembled(disks, members_of(made, {128 * KiB, 128 * KiB}), order);
      CHECK(assembly.findings.empty());
      REQUIRE(assembly.volumes.size() == 1);
      const auto& volume = assembly.volumes[0];
      CHECK(volume.path == (version == 90 ? "md:01010101-0101-0101-0101-010101010101" : "md:data"));
      CHECK(volume.kind == VolumeKind::md);
      REQUIRE(volume.device);
      CHECK(volume.size_bytes == 100 * KiB);
      CHECK(volume.device->size() == 100 * KiB);
      CHECK(mark_at(*volume.device, 512) == md_mark(0, 1));
      CHECK_THROWS_AS(volume.device->read(100 * KiB, 1), base::Error);
    }
}

TEST_CASE("RAID1 of which a member is missing is read, and told of") {
  Disks disks;
  const auto made = members_of({}, {128 * KiB, 128 * KiB});
  disks.add(member_bytes(made[1]));
  const auto assembly = disks.assemble();
  CHECK(ids(assembly) == Ids{"md-member-missing"});
  CHECK(assembly.findings[0].severity == base::Severity::warning);
  CHECK(assembly.findings[0].subject == "md:data");
  CHECK(assembly.sets.at(0).missing == std::vector<std::string>{"member 1 of 2"});
  CHECK(mark_at(*assembly.volumes.at(0).device, 0) == md_mark(1, 0));
}

TEST_CASE("a member that the array no longer counts on is not missing") {
  auto made = members_of({}, {128 * KiB, 128 * KiB});
  made[1].roles[0] = 0xfffe;
  Disks disks;
  disks.add(member_bytes(made[1]));
  const auto assembly = disks.assemble();
  CHECK_FALSE(assembly.sets.at(0).is_complete);
  CHECK(assembly.sets[0].missing.empty());
}

TEST_CASE("a member that has missed changes is not read, in whatever order the members come") {
  for (const bool stale_first : {true, false})
    for (const bool only_by_roles : {true, false}) {
      CAPTURE(stale_first, only_by_roles);
      auto made = members_of({}, {128 * KiB, 128 * KiB});
      made[1].events = only_by_roles ? 11 : 17;
      if (only_by_roles) made[1].roles[0] = 0xfffe;
      if (!stale_first) std::swap(made[0], made[1]);
      Disks disks;
      const auto assembly = assembled(disks, made);
      CHECK(ids(assembly) == Ids{"md-member-stale", "md-member-missing"});
      CHECK(assembly.sets.at(0).missing.empty());
      CHECK(assembly.findings[0].subject == (stale_first ? "p1" : "p2"));
      CHECK(mark_at(*assembly.volumes.at(0).device, 0) == md_mark(1, 0));
    }
}

TEST_CASE("an update that reached one member alone makes no member stale") {
  auto made = members_of({}, {128 * KiB, 128 * KiB});
  made[1].events = 11;
  Disks disks;
  CHECK(assembled(disks, made).findings.empty());
}

TEST_CASE("spares, members being rebuilt and replacements are not read") {
  for (const std::uint32_t features : {2u, 16u, 0u}) {
    auto made = members_of({}, {128 * KiB, 128 * KiB});
    made[0].features = features;
    if (features == 0)
      for (auto& each : made) each.roles = {0xffff, 1};
    Disks disks;
    const auto assembly = assembled(disks, made);
    CHECK(ids(assembly) == Ids{"md-member-missing"});
    CHECK(assembly.sets.at(0).missing.empty());  // they are here
    CHECK(mark_at(*assembly.volumes.at(0).device, 0) == md_mark(1, 0));
  }
}

TEST_CASE("a linear array shows its members one after the other, by their roles") {
  for (const unsigned version : {2u, 90u}) {
    MadeMember made;
    made.version = version;
    made.level = -1;
    made.chunk = 0;
    auto members = members_of(made, {64 * KiB, 128 * KiB, 192 * KiB});
    std::swap(members[0], members[2]);
    Disks disks;
    const auto assembly = assembled(disks, members);
    CHECK(assembly.findings.empty());
    auto& device = *assembly.volumes.at(0).device;
    CHECK(device.size() == 384 * KiB);
    CHECK(mark_at(device, 0) == md_mark(0, 0));
    CHECK(mark_at(device, 64 * KiB) == md_mark(1, 0));
    CHECK(mark_at(device, 384 * KiB - 512) == md_mark(2, 383));
  }
}

TEST_CASE("RAID0 goes round its members, and on round those that are longer") {
  for (const bool by_zone : {false, true})
    for (const auto& lengths : std::vector<std::vector<std::uint64_t>>{
             {64 * KiB, 64 * KiB, 64 * KiB},
             {64 * KiB, 40 * KiB, 100 * KiB},
             {20 * KiB + 512, 100 * KiB, 60 * KiB, 60 * KiB + 1024},
         }) {
      MadeMember made;
      made.level = 0;
      made.layout = by_zone ? 2 : 1;
      made.features = 4096;
      const auto members = members_of(made, lengths);
      Disks disks;
      const auto assembly = assembled(disks, members);
      CHECK(assembly.findings.empty());
      REQUIRE(assembly.volumes.at(0).device);
      check_raid0(*assembly.volumes[0].device, members, by_zone);
    }
}

TEST_CASE("RAID0 that does not say how its chunks lie is read where that is of no matter") {
  for (const unsigned version : {2u, 90u}) {
    MadeMember made;
    made.version = version;
    made.level = 0;
    const auto equal = members_of(made, {64 * KiB, 64 * KiB});
    Disks disks, others;
    check_raid0(*assembled(disks, equal).volumes.at(0).device, equal, true);
    const auto unequal = assembled(others, members_of(made, {64 * KiB, 128 * KiB}));
    CHECK_FALSE(unequal.volumes.at(0).device);
    CHECK(unequal.volumes[0].because.find("which of two ways") != std::string::npos);
  }
}

TEST_CASE("RAID0 and linear arrays that are not whole, and other kinds, are named with the reason") {
  struct Case {
    std::int32_t level;
    std::string because;
  };
  for (const auto& [level, because] : std::vector<Case>{{0, "it needs all of its 2 members, and 1 are here"},
                                                        {-1, "it needs all of its 2 members, and 1 are here"},
                                                        {5, "it is of md's kind 'raid5'"},
                                                        {10, "it is of md's kind 'raid10'"},
                                                        {77, "it is of md's kind 'level 77'"}}) {
    MadeMember made;
    made.level = level;
    Disks disks;
    disks.add(member_bytes(members_of(made, {128 * KiB, 128 * KiB})[1]));
    const auto assembly = disks.assemble();
    CHECK(ids(assembly) == Ids{"md-member-missing"});
    CHECK_FALSE(assembly.volumes.at(0).device);
    CHECK(assembly.volumes[0].because == because);
  }
}

TEST_CASE("arrays of one name are told apart, and each by its own members") {
  auto first = members_of({}, {128 * KiB, 128 * KiB}), second = first;
  for (auto& each : second) each.array = 2;
  Disks disks;
  for (const auto& each : first) disks.add(member_bytes(each));
  const auto assembly = assembled(disks, second);
  CHECK(assembly.findings.empty());
  REQUIRE(assembly.volumes.size() == 2);
  CHECK(assembly.volumes[0].path == "md:data");
  CHECK(assembly.volumes[1].path == "md:02020202-0202-0202-0202-020202020202");
}

TEST_CASE("an array that is being reshaped is not read") {
  MadeMember made;
  made.features = 4;
  Disks disks;
  CHECK(assembled(disks, members_of(made, {128 * KiB, 128 * KiB})).volumes.at(0).because == "it is being reshaped");
}

TEST_CASE("an array that cannot be is a reason or a finding") {
  struct Case {
    std::string name;
    void (*damage)(MadeMember&);
    std::string because;  // empty: the superblock is refused
  };
  const std::vector<Case> cases = {
      {"data beyond the device", [](MadeMember& m) { m.data = 1ull << 40; }, ""},
      {"data that wrap around", [](MadeMember& m) { m.data = ~0ull; }, ""},
      {"an offset beyond the device", [](MadeMember& m) { m.data_offset = 1ull << 62; }, ""},
      {"a mirror larger than its members", [](MadeMember& m) { m.used = 1ull << 40; },
       "its members are smaller than it says"},
      {"a mirror of nothing", [](MadeMember& m) { m.used = 0; }, "its members are smaller than it says"},
      {"no members", [](MadeMember& m) { m.members = 0; }, "no member of it that is current is here"},
      {"a role that is none of its members'",
       [](MadeMember& m) {
         m.roles = {9, 9};
       },
       "no member of it that is current is here"},
      {"stripes of nothing", [](MadeMember& m) { m.level = 0, m.chunk = 0; }, "it has chunks of no size"},
      {"stripes of no members", [](MadeMember& m) { m.level = 0, m.members = 0; }, "it has no members"},
      {"stripes longer than the members", [](MadeMember& m) { m.level = 0, m.chunk = 1 << 20; },
       "its members have no room"},
  };
  for (const auto& [name, damage, because] : cases) {
    CAPTURE(name);
    auto made = members_of({}, {128 * KiB, 128 * KiB});
    Disks disks;
    for (auto& each : made) {
      damage(each);
      const auto kept = std::exchange(each.data_offset, std::min<std::uint64_t>(each.data_offset, 16 * KiB));
      auto bytes = member_bytes(each);
      each.data_offset = kept;
      put_super_1(bytes, each);
      disks.add(std::move(bytes));
    }
    const auto assembly = disks.assemble();
    if (because.empty()) {
      CHECK(ids(assembly) == Ids{"md-superblock-damaged", "md-superblock-damaged"});
      CHECK(assembly.volumes.empty());
    } else {
      REQUIRE(assembly.volumes.size() == 1);
      CHECK(assembly.volumes[0].because == because);
    }
  }
}

TEST_CASE("any byte of a superblock may be wrong: it is noticed, and nothing is invented") {
  for (const unsigned version : {2u, 90u}) {
    MadeMember made;
    made.version = version;
    const auto members = members_of(made, {128 * KiB, 128 * KiB});
    const auto whole = member_bytes(members[0]);
    const auto start = super_offset(members[0]);
    for (std::uint64_t at = start; at < start + (version == 90 ? 4096 : 260); ++at) {
      auto bytes = whole;
      bytes[at] ^= std::byte{0x20};
      Disks disks;
      disks.add(std::move(bytes));
      const auto assembly = disks.assemble();
      CAPTURE(version, at - start);
      REQUIRE(assembly.volumes.empty());
    }
  }
}

TEST_CASE("what is no member is none, and what is too short for one") {
  for (const std::size_t size : {0u, 512u, 4096u, 8192u, 100'000u, 200'000u}) {
    Disks disks;
    disks.add(Bytes(size));
    const auto assembly = disks.assemble();
    CHECK(assembly.volumes.empty());
    CHECK(assembly.findings.empty());
  }
}

}  // namespace hrvm::volume::test
