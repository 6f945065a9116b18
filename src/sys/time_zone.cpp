#include "hrvm/sys/time_zone.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::sys {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view utc = "UTC", utc_rule = "UTC0";
constexpr std::string_view local_time_link = "/etc/localtime", database = "zoneinfo/";
constexpr std::size_t largest_zone = 1 << 20, longest_name = 255;

bool is_zone_character(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') || std::string_view("/_+-").find(c) != std::string_view::npos;
}

// Parts of letters and a few others: none leads out of the database.
bool is_zone_name(std::string_view text) {
  if (text.empty() || text.size() > longest_name || !std::ranges::all_of(text, is_zone_character)) return false;
  return std::ranges::none_of(base::split(text, '/'), [](auto part) { return part.empty(); });
}

bool is_zone_file(const Path& file) {
  const auto found = sys::status(file);
  if (found.type != FileType::regular || found.size_bytes > largest_zone) return false;
  return try_read_file(file, largest_zone).value_or("").starts_with("TZif");
}

std::vector<Path> databases(const Host& host) {
  std::vector<Path> folders;
  if (const auto asked = host.variable("TZDIR"); asked && asked->starts_with('/')) folders.emplace_back(*asked);
  for (const auto* folder : {"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"})
    folders.push_back(host.path(folder));
  return folders;
}

std::optional<Path> zone_file(const Host& host, const std::string& name) {
  if (!is_zone_name(name)) return std::nullopt;
  for (const auto& folder : databases(host))
    if (is_zone_file(folder / name)) return folder / name;
  return std::nullopt;
}

std::string hint_of(const Host& host, const std::string& name) {
  const auto slash = name.rfind('/');
  const auto region = slash == name.npos ? std::string() : name.substr(0, slash + 1);
  for (const auto& folder : databases(host)) {
    const auto names = sys::list_directory(folder / region);
    if (names.empty()) continue;
    const auto meant = base::did_you_mean(name.substr(region.size()), names);
    return meant ? fmt::format("did you mean {}{}?", region, *meant)
                 : fmt::format("a zone is named as in {}: Europe/Berlin, UTC", folder.string());
  }
  return "no zones are known here but UTC: apt install tzdata";
}

// "CET-1CEST,M3.5.0,M10.5.0/3": needs no database.
bool is_rule(std::string_view text) {
  const auto digit = text.find_first_of("0123456789");
  return digit != text.npos && text.substr(0, digit).find('/') == text.npos;
}

std::string name_of_link(const Host& host) {
  const auto target = read_link(host.path(local_time_link)).value_or("").string();
  const auto at = target.find(database);
  const auto name = at == target.npos ? "" : target.substr(at + database.size());
  return is_zone_name(name) ? name : "local";
}

}  // namespace

TimeZone::TimeZone(const Host& host, const std::string& name) {
  const auto file = zone_file(host, name);
  if (!file && name != utc)
    throw Error(ErrorKind::usage, fmt::format("there is no time zone \"{}\"", base::printable(name)))
        .hint(is_zone_name(name) ? hint_of(host, name) : "a zone is named as Europe/Berlin, UTC");
  name_ = name;
  use(file ? ":" + file->string() : std::string(utc_rule));
}

TimeZone::TimeZone(const Host& host) {
  auto asked = host.variable("TZ");
  if (asked && asked->starts_with(':')) asked->erase(0, 1);
  if (const auto local = host.path(local_time_link); !asked && is_zone_file(local)) {
    name_ = name_of_link(host);
    use(":" + local.string());
    return;
  }
  const auto name = asked.value_or("");
  const auto file = asked && asked->starts_with('/') ? std::optional<Path>(*asked) : zone_file(host, name);
  const bool is_file = file && is_zone_file(*file);
  if (is_file || is_rule(name))
    name_ = name;
  else if (!name.empty() && name != utc)
    missing_ = name;
  use(is_file ? ":" + file->string() : is_rule(name) ? name : std::string(utc_rule));
}

TimeZone::~TimeZone() {
  before_ ? ::setenv("TZ", before_->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

void TimeZone::use(const std::string& zone) {
  if (const char* now = std::getenv("TZ")) before_ = now;
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
}

std::chrono::seconds TimeZone::utc_offset(base::Time time) const {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local{};
  return std::chrono::seconds(::localtime_r(&seconds, &local) ? local.tm_gmtoff : 0);
}

}  // namespace hrvm::sys
