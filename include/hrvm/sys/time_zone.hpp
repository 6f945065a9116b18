// TimeZone: a zone of the tz database by its name ("Europe/Berlin", "UTC"), or the host's own.
//
// The C library reads the database, and knows one zone at a time, that of the process: while a TimeZone lives it is
// this one, so it is to be a short while.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "hrvm/sys/host.hpp"

namespace hrvm::sys {

class TimeZone {
 public:
  // Error{usage} for a name that no zone of this host has. UTC there is always.
  TimeZone(const Host& host, const std::string& name);
  // By TZ, else by /etc/localtime, else UTC.
  explicit TimeZone(const Host& host);
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
  ~TimeZone();

  const std::string& name() const { return name_; }
  // The host's zone, which is not installed (as in a rescue system), so that UTC stands for it.
  const std::optional<std::string>& missing() const { return missing_; }
  std::chrono::seconds utc_offset(base::Time time) const;

 private:
  void use(const std::string& zone);  // as in TZ

  std::string name_ = "UTC";
  std::optional<std::string> missing_, before_;
};

}  // namespace hrvm::sys
