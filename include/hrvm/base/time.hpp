// Points in time as RFC 3339 in UTC: "2026-02-14T09:41:07Z". One second is fine enough for everything hrvm records.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hrvm::base {

using Time = std::chrono::sys_seconds;

std::string format_time(Time time);
std::optional<Time> parse_time(std::string_view rfc3339_utc);

}  // namespace hrvm::base
