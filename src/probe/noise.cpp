#include "hrvm/probe/noise.hpp"

#include <algorithm>
#include <span>

namespace hrvm::probe {
namespace {

// A pattern's "*" stands for any characters of one name. One that ends in "/" is for what lies below, not for the
// folder itself: that one came or went says something.

// Of a root. What programs keep for themselves in /var/lib is named one by one: most of it is data.
constexpr std::string_view root_files[] = {
    "/etc/mtab",
    "/etc/mtab~*",
    "/etc/adjtime",
    "/etc/blkid.tab*",
    "/etc/.pwd.lock",
    "/etc/.updated",
    "/.autorelabel",
    "/.readahead",
    "/dev/",
    "/proc/",
    "/run/",
    "/sys/",
    "/tmp/",
    "/var/cache/",
    "/var/lock/",
    "/var/log/",
    "/var/run/",
    "/var/tmp/",
    "/var/crash/",
    "/var/.updated",
    "/swapfile",
    "/swap.img",
    "/swap/swapfile",
    "/usr/lib/sysimage/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite-shm",
};

// Of /var, whose name is left out: so they are looked for in a volume that is mounted there, too. No root has such
// paths.
constexpr std::string_view var_files[] = {
    "/lib/NetworkManager/*.lease",
    "/lib/NetworkManager/NetworkManager.state",
    "/lib/NetworkManager/secret_key",
    "/lib/NetworkManager/seen-bssids",
    "/lib/NetworkManager/timestamps",
    "/lib/PackageKit/",
    "/lib/apt/daily_lock",
    "/lib/apt/lists/",
    "/lib/apt/periodic/",
    "/lib/chrony/drift",
    "/lib/command-not-found/",
    "/lib/dbus/.lock",
    "/lib/dhclient/",
    "/lib/dhcp/",
    "/lib/dhcp3/",
    "/lib/dhcpcd/*.lease*",
    "/lib/dpkg/lock",
    "/lib/dpkg/lock-frontend",
    "/lib/dpkg/triggers/Lock",
    "/lib/fwupd/",
    "/lib/logrotate/",
    "/lib/logrotate.status",
    "/lib/man-db/",
    "/lib/mlocate/",
    "/lib/misc/random-seed",
    "/lib/nfs/",
    "/lib/ntp/drift",
    "/lib/ntpsec/ntp.drift",
    "/lib/pacman/db.lck",
    "/lib/pacman/sync/",
    "/lib/plocate/",
    "/lib/plymouth/",
    "/lib/random-seed",
    "/lib/rpm/.rpm.lock",
    "/lib/rpm/__db.*",
    "/lib/rpm/rpmdb.sqlite-shm",
    "/lib/rsyslog/",
    "/lib/snapd/seccomp/",
    "/lib/snapd/state.lock",
    "/lib/systemd/backlight/",
    "/lib/systemd/catalog/",
    "/lib/systemd/coredump/",
    "/lib/systemd/credential.secret",
    "/lib/systemd/linger/.lock",
    "/lib/systemd/random-seed",
    "/lib/systemd/rfkill/",
    "/lib/systemd/timers/",
    "/lib/systemd/timesync/",
    "/lib/udisks2/",
    "/lib/upower/",
    "/lib/update-notifier/",
    "/lib/wtmpdb/",
    "/spool/anacron/",
    "/spool/cron/lastrun/",
    "/log/journal/",
    "/log/wtmp*",
    "/log/btmp*",
    "/log/lastlog",
    "/log/faillog",
    "/log/tallylog",
    "/log/syslog*",
    "/log/messages*",
    "/log/dmesg*",
    "/log/boot.log*",
    "/log/auth.log*",
    "/log/kern.log*",
    "/log/daemon.log*",
    "/log/debug*",
    "/log/secure*",
    "/log/cron*",
    "/log/maillog*",
    "/log/mail.*",
    "/log/dpkg.log*",
    "/log/apt/",
    "/log/audit/",
    "/log/alternatives.log*",
    "/log/pacman.log",
    "/log/Xorg.*",
    "/cache/apt/",
    "/cache/debconf/",
    "/cache/dnf/",
    "/cache/fontconfig/",
    "/cache/ldconfig/",
    "/cache/libdnf5/",
    "/cache/man/",
    "/cache/pacman/",
    "/cache/apk/",
    "/cache/private/",
};

// Of a volume that is mounted at /var/log: what no other volume has at its top.
constexpr std::string_view log_files[] = {"/journal/???????????????????????????????*/", "/wtmp", "/btmp", "/lastlog"};

// Wherever they lie, with what lies below.
constexpr std::string_view names[] = {
    "__pycache__",       ".cache",        "lost+found",  ".Trash-*", ".nfs????????*", ".fuse_hidden*", ".#lck-*",
    ".xsession-errors*", ".ICEauthority", ".Xauthority", ".lesshst",
};

// Of Windows, whose names ignore case.
constexpr std::string_view windows_files[] = {
    "/pagefile.sys",
    "/hiberfil.sys",
    "/swapfile.sys",
    "/dumpstack.log*",
    "/$extend/",
    "/$logfile",
    "/$bitmap",
    "/$mft",
    "/$mftmirr",
    "/system volume information/",
    "/$recycle.bin/",
    "/windows/bootstat.dat",
    "/windows/debug/",
    "/windows/inf/*.log",
    "/windows/lastgood.tmp/",
    "/windows/logs/",
    "/windows/minidump/",
    "/windows/memory.dmp",
    "/windows/panther/",
    "/windows/performance/winsat/",
    "/windows/prefetch/",
    "/windows/rescache/",
    "/windows/softwaredistribution/",
    "/windows/temp/",
    "/windows/windowsupdate.log",
    "/windows/setupact.log",
    "/windows/appcompat/programs/",
    "/windows/serviceprofiles/*/appdata/local/temp/",
    "/windows/serviceprofiles/*/appdata/local/microsoft/windows/deliveryoptimization/",
    "/windows/serviceprofiles/localservice/appdata/local/lastalive*.dat",
    "/windows/serviceprofiles/localservice/appdata/local/fontcache/",
    "/windows/system32/catroot2/*.log",
    "/windows/system32/catroot2/*.jrs",
    "/windows/system32/catroot2/edb.chk",
    "/windows/system32/config/txr/",
    "/windows/system32/config/systemprofile/appdata/local/temp/",
    "/windows/system32/fntcache.dat",
    "/windows/system32/logfiles/",
    "/windows/system32/sleepstudy/",
    "/windows/system32/sru/",
    "/windows/system32/wdi/",
    "/windows/system32/winevt/logs/",
    "/windows/system32/wbem/logs/",
    "/windows/system32/wbem/repository/",
    "/windows/systemtemp/",
    "/programdata/microsoft/diagnosis/",
    "/programdata/microsoft/network/downloader/",
    "/programdata/microsoft/search/data/",
    "/programdata/microsoft/windows defender/scans/",
    "/programdata/microsoft/windows defender/support/",
    "/programdata/microsoft/windows/wer/",
    "/programdata/usoprivate/updatestore/",
    "/programdata/usoshared/logs/",
    "/users/*/appdata/local/temp/",
    "/users/*/appdata/local/crashdumps/",
    "/users/*/appdata/local/d3dscache/",
    "/users/*/appdata/local/connecteddevicesplatform/",
    "/users/*/appdata/local/iconcache.db",
    "/users/*/appdata/local/microsoft/internet explorer/cachestorage/",
    "/users/*/appdata/local/microsoft/windows/caches/",
    "/users/*/appdata/local/microsoft/windows/explorer/",
    "/users/*/appdata/local/microsoft/windows/history/",
    "/users/*/appdata/local/microsoft/windows/inetcache/",
    "/users/*/appdata/local/microsoft/windows/temporary internet files/",
    "/users/*/appdata/local/microsoft/windows/webcache/",
    "/users/*/appdata/locallow/temp/",
    "/users/*/appdata/roaming/microsoft/windows/recent/",
};

// Transaction logs of the registry's hives, wherever a hive lies; of files in some other system's folders none is named
// so.
constexpr std::string_view hive_logs[] = {
    "ntuser.dat.log*", "ntuser.dat{*}.tm*", "usrclass.dat.log*", "usrclass.dat{*}.tm*", "*.regtrans-ms",
};
constexpr std::string_view hive_folders[] = {
    "/windows/system32/config/*.log",
    "/windows/system32/config/*.log1",
    "/windows/system32/config/*.log2",
    "/windows/system32/config/*.blf",
    "/windows/system32/smi/store/machine/*.log?",
    "/boot/bcd.log*",
    "/efi/microsoft/boot/bcd.log*",
    "/efi/microsoft/recovery/bcd.log*",
    "/windows/serviceprofiles/*/ntuser.dat.log*",
};

// What comes before all but the files of /etc that are named above.
constexpr std::string_view never[] = {"/etc/", "/boot/", "/usr/lib/sysimage/"};

enum class Case { as_spelled, ignored };

char folded(char c, Case spelling) { return spelling == Case::ignored && c >= 'A' && c <= 'Z' ? char(c + 32) : c; }

// A "*" takes as little as it can, and more when what follows does not fit: at most text × pattern steps.
bool matches(std::string_view pattern, std::string_view text, Case spelling) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p == pattern.size() && pattern.ends_with('/')) return true;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() &&
               (pattern[p] == folded(text[t], spelling) || (pattern[p] == '?' && text[t] != '/'))) {
      ++p, ++t;
    } else if (star != std::string_view::npos && text[taken] != '/') {
      t = ++taken;
      p = star + 1;
    } else {
      return false;
    }
  }
  p = std::min(pattern.find_first_not_of('*', p), pattern.size());
  return p == pattern.size() && !pattern.ends_with('/');
}

bool matches_any(std::span<const std::string_view> patterns, std::string_view text, Case spelling = Case::as_spelled) {
  return std::ranges::any_of(patterns, [&](std::string_view each) { return matches(each, text, spelling); });
}

bool has_noisy_name(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto name = path.substr(0, path.find('/'));
    if (matches_any(names, name)) return true;
    path.remove_prefix(name.size());
  }
  return false;
}

bool is_noise_of_windows(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return matches_any(windows_files, path, Case::ignored) || matches_any(hive_folders, path, Case::ignored) ||
         matches_any(hive_logs, name, Case::ignored);
}

}  // namespace

bool is_noise(std::string_view path) {
  if (!path.starts_with('/')) return false;
  if (matches_any(root_files, path)) return true;
  if (matches_any(hive_folders, path, Case::ignored)) return true;
  if (matches_any(never, path)) return false;
  constexpr std::string_view var = "/var";
  const bool is_below_var = path.starts_with(var) && path.substr(var.size()).starts_with('/');
  if (matches_any(var_files, is_below_var ? path.substr(var.size()) : path)) return true;
  return matches_any(log_files, path) || has_noisy_name(path) || is_noise_of_windows(path);
}

}  // namespace hrvm::probe
