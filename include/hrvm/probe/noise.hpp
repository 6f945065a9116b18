// Noise: files that a system writes whenever it runs, so that two states of it always differ in them: logs, caches,
// locks, what is made anew at each start, temporary files; of Linux and of Windows.
#pragma once

#include <string_view>

namespace hrvm::probe {

// By its path in the volume it lies on, "/var/log/syslog". Where that volume is no root but what a system mounts at
// /var or /var/log, only what is surely noise there. What an administrator would want to see never is: /etc but for the
// few files in it that a start writes, /boot, databases of packages.
bool is_noise(std::string_view path);

}  // namespace hrvm::probe
