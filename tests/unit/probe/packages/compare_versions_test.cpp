// The cases that rpm, the UAPI group's specification and GRUB's own rules give.
#include <catch2/catch.hpp>
#include <string>

#include "probe/packages/compare_versions.hpp"

using namespace hrvm::probe;

namespace {

char sign_of(std::weak_ordering order) { return order < 0 ? '<' : order > 0 ? '>' : '='; }

struct Case {
  std::string a;
  char sign;
  std::string b;
};

template <std::size_t count>
void check(const Case (&cases)[count], std::weak_ordering (*compare)(std::string_view, std::string_view)) {
  for (const Case& each : cases) {
    CAPTURE(each.a, each.b);
    CHECK(sign_of(compare(each.a, each.b)) == each.sign);
    const char turned = each.sign == '<' ? '>' : each.sign == '>' ? '<' : '=';
    CHECK(sign_of(compare(each.b, each.a)) == turned);
  }
}

}  // namespace

TEST_CASE("versions compare as rpm's own tests have it") {
  check(
      {
          {"1.0", '=', "1.0"},
          {"1.0", '<', "2.0"},
          {"2.0", '<', "2.0.1"},
          {"2.0.1a", '>', "2.0.1"},
          {"5.5p1", '<', "5.5p2"},
          {"5.5p1", '<', "5.5p10"},
          {"10xyz", '<', "10.1xyz"},
          {"xyz10", '<', "xyz10.1"},
          {"xyz.4", '<', "8"},
          {"xyz.4", '<', "2"},
          {"5.5p2", '<', "5.6p1"},
          {"5.6p1", '<', "6.5p1"},
          {"6.0.rc1", '>', "6.0"},
          {"10b2", '>', "10a1"},
          {"1.0a", '<', "1.0aa"},
          {"10.0001", '=', "10.1"},
          {"10.0001", '<', "10.0039"},
          {"4.999.9", '<', "5.0"},
          {"20101121", '<', "20101122"},
          {"2_0", '=', "2.0"},
          {"1.0~rc1", '<', "1.0"},
          {"1.0~rc1", '<', "1.0~rc2"},
          {"1.0~rc1~git123", '<', "1.0~rc1"},
          {"1.0^", '>', "1.0"},
          {"1.0^git1", '<', "1.0^git2"},
          {"1.0^git1", '<', "1.01"},
          {"1.0^20160101", '<', "1.0.1"},
          {"1.0^20160101^git1", '>', "1.0^20160101"},
          {"1.0~rc1^git1", '>', "1.0~rc1"},
          {"1.0^git1~pre", '<', "1.0^git1"},
          {"", '=', ""},
          {"", '<', "1"},
          {"000000000000000000000000000000000000001", '<', "99999999999999999999999999999999999999999"},
      },
      compare_rpm_versions);
}

TEST_CASE("GRUB compares names, then versions, then releases, cut at the last dashes") {
  check(
      {
          {"104a42359fae41b687caac066397aec2-5.14.0-162.22.2.el9_1.x86_64", '>',
           "cd3361a338fe47348de9937e51a7a4aa-5.14.0-284.30.1.el9_2.x86_64"},
          {"a-5.14.0-284.30.1.el9", '>', "a-5.14.0-284.11.1.el9"},
          {"a-5.14.0-70.el9", '<', "a-5.14.0-362.el9"},
          {"a-0-rescue", '<', "a-5.14.0-362.el9"},
          {"6.8.0-1", '<', "6.10.0-1"},
          {"a-6.10.0~rc1-1", '<', "a-6.10.0-1"},
          {"a-06.2-1", '=', "a-6.2-1"},
          {"a+1", '>', "a"},
          {"plain", '=', "plain"},
      },
      compare_grub_packages);
}

TEST_CASE("versions compare as the examples of the UAPI group's specification have it") {
  check(
      {
          {"11", '=', "11"},
          {"systemd-123", '=', "systemd-123"},
          {"bar-123", '<', "foo-123"},
          {"123a", '>', "123"},
          {"123.a", '>', "123"},
          {"123.a", '<', "123.b"},
          {"123a", '>', "123.a"},
          {"11\xce\xb1", '=', "11\xce\xb2"},
          {"B", '<', "a"},
          {"", '<', "0"},
          {"0.", '>', "0"},
          {"0.0", '>', "0"},
          {"0", '>', "~"},
          {"", '>', "~"},
          {"1_", '=', "1"},
          {"_1", '=', "1"},
          {"1_", '<', "1.2"},
          {"1_2_3", '>', "1.3.3"},
          {"1+", '=', "1"},
          {"1+2+3", '>', "1.3.3"},
          {"6.2", '<', "6.10"},
          {"010", '=', "10"},
      },
      compare_uapi_versions);
  const std::string ascending[] = {"122.1",   "123~rc1-1", "123",     "123-a",   "123-a.1", "123-1",
                                   "123-1.1", "123^post1", "123.a-1", "123.1-1", "123a-1",  "124-1"};
  for (std::size_t i = 0; i < std::size(ascending); ++i)
    for (std::size_t j = i + 1; j < std::size(ascending); ++j) {
      CAPTURE(ascending[i], ascending[j]);
      CHECK(sign_of(compare_uapi_versions(ascending[i], ascending[j])) == '<');
    }
}
