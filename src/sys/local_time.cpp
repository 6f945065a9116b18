#include "hrvm/sys/local_time.hpp"

#include <cstdlib>
#include <ctime>

namespace hrvm::sys {

// The C library asks the process's own environment, which is the host's but in tests.
static void use_zone_of(const Host& host) {
  const auto zone = host.variable("TZ");
  const char* now = std::getenv("TZ");
  if (zone && (!now || *zone != now)) ::setenv("TZ", zone->c_str(), 1);
  ::tzset();
}

std::chrono::seconds utc_offset(const Host& host, base::Time time) {
  use_zone_of(host);
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local{};
  return std::chrono::seconds(::localtime_r(&seconds, &local) ? local.tm_gmtoff : 0);
}

}  // namespace hrvm::sys
