// The managers' rules of versions: cases that each manager's own program decides so.
#include <catch2/catch.hpp>
#include <string>

#include "hrvm/probe/packages.hpp"

using namespace hrvm::probe;

namespace {

struct Case {
  std::string a;
  char sign;
  std::string b;
};

char sign_of(std::weak_ordering order) { return order < 0 ? '<' : order > 0 ? '>' : '='; }

template <std::size_t count>
void check(PackageManager manager, const Case (&cases)[count]) {
  for (const Case& each : cases) {
    CAPTURE(each.a, each.b);
    CHECK(sign_of(compare_versions(manager, each.a, each.b)) == each.sign);
    const char turned = each.sign == '<' ? '>' : each.sign == '>' ? '<' : '=';
    CHECK(sign_of(compare_versions(manager, each.b, each.a)) == turned);
  }
}

}  // namespace

TEST_CASE("dpkg: epoch, then upstream, then revision; ~ before the end, letters before signs") {
  check(PackageManager::dpkg,
        {
            {"1.0-1", '=', "1.0-1"},
            {"1.0", '=', "1.0-0"},
            {"0:1.0", '=', "1.0"},
            {"1:0.1", '>', "9.9"},
            {"1.10", '>', "1.9"},
            {"1.0~rc1-1", '<', "1.0-1"},
            {"1.0~~", '<', "1.0~"},
            {"1.0a", '<', "1.0+"},
            {"1.0+deb12u4", '>', "1.0+deb12u3"},
            {"2.36-9+deb12u4", '>', "2.36-9"},
            {"1.0-1~bpo12+1", '<', "1.0-1"},
            {"1.2-3-4", '>', "1.2-3-3"},
            {"000000000000000000000000000000000000001", '<', "99999999999999999999999999999999999999999"},
        });
}

TEST_CASE("rpm: a missing epoch is 0, + is a sign like any other") {
  check(PackageManager::rpm, {
                                 {"1.0-1", '=', "0:1.0-1"},
                                 {"1:1.0-1", '>', "2.0-1"},
                                 {"1.0-10.el9", '>', "1.0-9.el9"},
                                 {"1.0~rc1-1", '<', "1.0-1"},
                                 {"1.0^git1-1", '>', "1.0-1"},
                                 {"1.0+1-1", '=', "1.0.1-1"},
                                 {"5.14.0-362.8.1.el9_3", '<', "5.14.0-427.el9"},
                             });
}

TEST_CASE("pacman: letters that are left over are older, a release counts where both have one") {
  check(PackageManager::pacman, {
                                    {"1.0-1", '=', "1.0"},
                                    {"1.0-2", '>', "1.0-1"},
                                    {"1:1.0-1", '>', "2.0-1"},
                                    {"1.0rc", '<', "1.0"},
                                    {"1.0.rc", '>', "1.0"},
                                    {"1.0a", '<', "1.0b"},
                                    {"1.0.1", '>', "1.0"},
                                    {"1..0", '>', "1.0"},
                                    {"1.0.r10.gabc-1", '>', "1.0.r9.gabc-1"},
                                    {"20240101", '>', "1.0"},
                                });
}

TEST_CASE("apk: suffixes stand before and after a release, zeros behind a dot count") {
  check(PackageManager::apk, {
                                 {"1.2.3-r0", '<', "1.2.3-r1"},
                                 {"1.2.3-r9", '<', "1.2.3-r10"},
                                 {"1.2_rc1", '<', "1.2"},
                                 {"1.2_alpha2", '<', "1.2_beta1"},
                                 {"1.2_p1", '>', "1.2"},
                                 {"1.2_git20200101", '>', "1.2"},
                                 {"1.2_rc1", '<', "1.2_rc2"},
                                 {"1.2a", '>', "1.2"},
                                 {"1.2b", '>', "1.2a"},
                                 {"1.2.1", '>', "1.2"},
                                 {"1.10", '>', "1.9"},
                                 {"1.01", '<', "1.1"},
                                 {"1.2_rc1-r5", '<', "1.2-r0"},
                                 {"1.2.3", '<', "1.2.3-r0"},
                             });
}
