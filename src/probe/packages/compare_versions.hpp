// Which of two versions is the newer one: by the rules of rpm, by GRUB's of it, as it compares the names of entries,
// and by those of the UAPI group (uapi-group.org, "Version Format Specification"), as systemd-boot does. Those of other
// package managers are behind compare_versions() (hrvm/probe/packages.hpp).
#pragma once

#include <compare>
#include <string_view>

namespace hrvm::probe {

// rpm-version(7): parts of letters or of digits, which are newer than letters; what else stands between them parts
// them. "~" is older than the end, "^" newer than the end and older than any part that goes on.
std::weak_ordering compare_rpm_versions(std::string_view a, std::string_view b);

// GRUB takes "+" as rpm takes "^".
std::weak_ordering compare_grub_versions(std::string_view a, std::string_view b);
// NAME-VERSION-RELEASE, one after the other.
std::weak_ordering compare_grub_packages(std::string_view a, std::string_view b);

std::weak_ordering compare_uapi_versions(std::string_view a, std::string_view b);

}  // namespace hrvm::probe
