// systemd's journal. Without it services hang when they start, systemd-machined among them, which libvirt asks before
// it starts a machine.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "doctor/checks.hpp"
#include "doctor/kernel_log.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::doctor {
namespace {

constexpr auto process_name = "systemd-journal";  // as the kernel cuts it

bool is_number(const std::string& name) {
  return std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c); });
}

bool runs(const sys::Host& host, std::string_view name) {
  for (const auto& process : sys::list_directory(host.path("/proc")))
    if (is_number(process) && sys::try_read_line(host.path("/proc") / process / "comm") == name) return true;
  return false;
}

// "systemd-journald[312]: Assertion 'path_is_absolute(p)' failed at src/basic/chase.c:680": the last such line.
std::string last_words(const sys::Host& host) {
  const auto log = kernel_log(host);
  std::string last;
  for (const auto line : base::lines(log)) {
    const auto begin = line.find("systemd-journald[");
    if (begin != line.npos) last = base::printable(line.substr(begin));
  }
  return last;
}

}  // namespace

std::string kernel_log(const sys::Host& host) {
  if (host.is_recorded()) return sys::try_read_file(host.path("/var/log/dmesg")).value_or("");
  try {
    return host.runner.run({{"dmesg"}, {}, {}}, std::chrono::seconds{5}).out;
  } catch (const base::Error&) {
    return {};
  }
}

Results check_journald(const Circumstances& at) {
  if (sys::status(at.host.path("/run/systemd/system")).type != sys::FileType::directory)
    return {{"journald", Status::skipped, "systemd does not run this host", ""}};
  if (runs(at.host, process_name)) return {{"journald", Status::ok, "systemd's journal runs", ""}};
  const auto words = last_words(at.host);
  return {{"journald", Status::warning,
           fmt::format("systemd's journal does not run: services hang when they start, and libvirt's machines with "
                       "them{}{}",
                       words.empty() ? "" : ". It said: ", words),
           "systemctl restart systemd-journald   (until it runs, hrvm boot without --libvirt works all the same)"}};
}

}  // namespace hrvm::doctor
