// Which changes of a system say nothing.
#include <catch2/catch.hpp>
#include <string_view>

#include "hrvm/probe/noise.hpp"

using namespace hrvm::probe;

TEST_CASE("what a Linux writes whenever it runs is noise") {
  for (const std::string_view path : {
           "/var/log/syslog",
           "/var/log/journal/0123456789abcdef0123456789abcdef/system.journal",
           "/var/cache/apt/pkgcache.bin",
           "/var/tmp/x",
           "/tmp/x",
           "/run/utmp",
           "/var/run/x.pid",
           "/var/lock/y",
           "/var/lib/systemd/timers/stamp-apt-daily.timer",
           "/var/lib/systemd/random-seed",
           "/var/lib/apt/lists/deb.debian.org_InRelease",
           "/var/lib/dhcp/dhclient.eth0.leases",
           "/var/lib/NetworkManager/internal-3f-eth0.lease",
           "/var/lib/dpkg/lock-frontend",
           "/var/lib/logrotate/status",
           "/usr/lib/python3/dist-packages/__pycache__/x.pyc",
           "/usr/lib/python3/__pycache__",
           "/home/me/.cache/a/b",
           "/lost+found",
           "/lost+found/#12",
           "/etc/mtab",
           "/etc/adjtime",
           "/usr/lib/sysimage/rpm/.rpm.lock",
       }) {
    CAPTURE(path);
    CHECK(is_noise(path));
  }
}

TEST_CASE("what an administrator wants to see is no noise") {
  for (const std::string_view path : {
           "/etc/passwd",
           "/etc/tmp/x",
           "/etc/__pycache__/x.pyc",
           "/etc/.cache/x",
           "/etc/fstab",
           "/etc/mtab.d/x",
           "/var/lib/dpkg/status",
           "/var/lib/dpkg/info/bash.list",
           "/boot/vmlinuz",
           "/boot/grub/grubenv",
           "/usr/lib/sysimage/rpm/rpmdb.sqlite",
           "/var/lib/rpm/rpmdb.sqlite",
           "/usr/bin/ls",
           "/var/lib/mysql/ibdata1",
           "/var/spool/cron/crontabs/root",
           "/root/.ssh/authorized_keys",
           "/home/me/log/x",
           "/srv/tmp/x",
           "/var/lib/systemd/linger/me",
           "/var/lib/systemd",
           "/var/log",
           "/tmp",
           "/",
           "",
           "tmp/x",
           "/var/logs/x",
           "/var/lib/NetworkManager/a/b.lease",
           "/usr/share/cached",
           "/opt/x.cache",
       }) {
    CAPTURE(path);
    CHECK_FALSE(is_noise(path));
  }
}

TEST_CASE("in a volume that is /var or /var/log only what is surely noise is") {
  for (const std::string_view path : {
           "/lib/systemd/random-seed",
           "/lib/apt/lists/x",
           "/log/journal/a/b",
           "/log/wtmp",
           "/log/syslog.2.gz",
           "/cache/apt/archives/x.deb",
           "/tmp/x",
           "/journal/0123456789abcdef0123456789abcdef/system.journal",
           "/wtmp",
       }) {
    CAPTURE(path);
    CHECK(is_noise(path));
  }
  for (const std::string_view path : {
           "/log/mine",
           "/cache/mine",
           "/lib/systemd/system/x.service",
           "/lib/dpkg/status",
           "/journal/2026/note",
           "/lib/apt/methods/http",
           "/lib/udev/rules.d/x",
       }) {
    CAPTURE(path);
    CHECK_FALSE(is_noise(path));
  }
}

TEST_CASE("what a Windows writes whenever it runs is noise, in any case") {
  for (const std::string_view path : {
           "/pagefile.sys",
           "/hiberfil.sys",
           "/swapfile.sys",
           "/Windows/Logs/CBS/CBS.log",
           "/WINDOWS/TEMP/x",
           "/Windows/Prefetch/CMD.EXE-1.pf",
           "/Windows/SoftwareDistribution/DataStore/x",
           "/System Volume Information/x",
           "/$Extend/$UsnJrnl",
           "/Users/Me/NTUSER.DAT.LOG1",
           "/Users/Me/ntuser.dat.LOG2",
           "/Users/Me/NTUSER.DAT{53b39e88-18c4-11ea-a811-000d3aa4692b}.TM.blf",
           "/Users/Me/AppData/Local/Temp/a/b",
           "/Windows/System32/config/SYSTEM.LOG1",
           "/Windows/System32/config/SOFTWARE.LOG",
           "/Windows/System32/winevt/Logs/System.evtx",
           "/Boot/BCD.LOG",
           "/Users/Me/AppData/Local/Microsoft/Windows/UsrClass.dat.LOG1",
           "/Windows/System32/config/x.TMContainer00000000000000000001.regtrans-ms",
       }) {
    CAPTURE(path);
    CHECK(is_noise(path));
  }
  for (const std::string_view path : {
           "/Windows/System32/config/SYSTEM",
           "/Windows/System32/config/SOFTWARE",
           "/Users/Me/NTUSER.DAT",
           "/Windows/System32/drivers/etc/hosts",
           "/Windows/System32/drivers/viostor.sys",
           "/Windows/Tasks/x.job",
           "/Boot/BCD",
           "/Users/Me/AppData/Local/x",
           "/Windows/Logs",
           "/Program Files/x/y.log",
       }) {
    CAPTURE(path);
    CHECK_FALSE(is_noise(path));
  }
}
