#!/bin/bash
# make-windows-disk.sh [OPTIONS] OUT.img: a disk as Windows leaves it, as far as can be seen without starting it. The NTFS
# of its system is beside it, in OUT.img.ntfs, for other tools to look at. Needs root and FUSE.
#
#   --windows 7|10|11|2022  which one (11)
#   --bios                  a DOS table with "System Reserved", instead of GPT with an EFI system partition
#   --virtio                with virtio's driver for disks
#   --hibernated            with Windows in hiberfil.sys
#   --fast-startup          with its kernel there
#   --dirty                 with a volume that is marked as dirty
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)

windows=11 bios= virtio= hibernation= dirty= out=
while [ $# -gt 0 ]; do
  case $1 in
    --windows) windows=$2; shift ;;
    --bios) bios=1 ;;
    --virtio) virtio=1 ;;
    --hibernated) hibernation=hibernated ;;
    --fast-startup) hibernation=fast-startup ;;
    --dirty) dirty=1 ;;
    -*) echo "make-windows-disk.sh: unknown option $1" >&2; exit 2 ;;
    *) out=$1 ;;
  esac
  shift
done
[ -n "$out" ] || { echo "make-windows-disk.sh: needs a file to write" >&2; exit 2; }
work=$(mktemp -d "$out.XXXXXX")
trap 'umount "$work/mounted" 2> /dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/mounted"

software() {
  printf '[\\Microsoft\\Windows NT\\CurrentVersion]\n'
  case $windows in
    7) printf '"ProductName"="Windows 7 Professional"\n"CSDVersion"="Service Pack 1"\n"CurrentVersion"="6.1"\n'
      printf '"CurrentBuildNumber"="7601"\n"EditionID"="Professional"\n' ;;
    10) printf '"ProductName"="Windows 10 Pro"\n"DisplayVersion"="22H2"\n"CurrentBuildNumber"="19045"\n'
      printf '"UBR"=dword:00000ed5\n' ;;
    11) printf '"ProductName"="Windows 10 Pro"\n"DisplayVersion"="23H2"\n"CurrentBuildNumber"="22631"\n'
      printf '"UBR"=dword:00000bbf\n' ;;
    2022) printf '"ProductName"="Windows Server 2022 Standard"\n"DisplayVersion"="21H2"\n'
      printf '"CurrentBuildNumber"="20348"\n"UBR"=dword:0000091f\n"InstallationType"="Server"\n' ;;
  esac
  [ "$windows" = 7 ] ||
    printf '"CurrentMajorVersionNumber"=dword:0000000a\n"CurrentMinorVersionNumber"=dword:00000000\n'
  local i
  for i in {1..300}; do printf '\n[\\Classes\\Extension %d]\n@="a program that opens such files"\n' "$i"; done
}

driver() { # NAME START [OVERRIDE]
  printf '\n[\\ControlSet001\\Services\\%s]\n"Start"=dword:0000000%s\n' "$1" "$2"
  printf '"ImagePath"="\\\\SystemRoot\\\\System32\\\\drivers\\\\%s.sys"\n' "$1"
  [ -z "${3:-}" ] || printf '\n[\\ControlSet001\\Services\\%s\\StartOverride]\n"0"=dword:0000000%s\n' "$1" "$3"
  printf 'MZ' > "$work/mounted/Windows/System32/drivers/$1.sys"
}

system() {
  printf '[\\Select]\n"Current"=dword:00000001\n'
  printf '\n[\\ControlSet001\\Services\\Tcpip\\Parameters]\n"NV Hostname"="Desk-%s"\n' "$windows"
  if [ "$windows" = 7 ]; then driver msahci 0; else driver storahci 0; driver stornvme 0 3; fi
  driver atapi 0
  driver intelide 0
  [ -z "$virtio" ] || driver viostor 0
}

hiberfil() {
  [ -n "$hibernation" ] || { head -c 8192 /dev/zero; return; }
  if [ "$windows" = 7 ]; then printf 'hibr\0\0\0\0\0\0\0\0\x28\x01\0\0'; else printf 'HIBR\0\0\0\0\0\0\0\0\x48\x04\0\0'; fi
  head -c $((0x3cc - 16)) /dev/zero
  if [ "$hibernation" = fast-startup ]; then printf '\1'; else printf '\0'; fi
  head -c 8192 /dev/zero
}

make_ntfs() { # FILE LABEL SIZE FIRST-SECTOR
  truncate -s "$3" "$1"
  mkntfs -F -Q -q -L "$2" -s 512 -p "$4" -H 255 -S 63 "$1" > "$work/mkntfs" 2>&1 || { cat "$work/mkntfs" >&2; exit 1; }
  ntfs-3g "$1" "$work/mounted"
}

fill_system() {
  mkdir -p "$work"/mounted/{Users,ProgramData,Windows/System32/{config,drivers}}
  head -c 100000 /dev/urandom > "$work/mounted/Windows/System32/ntoskrnl.exe"
  : > "$work/mounted/Windows/System32/cmd.exe" # by which other inspectors know a Windows
  software > "$work/software"
  system > "$work/system"
  python3 "$here/make-hive.py" "$work/mounted/Windows/System32/config/SOFTWARE" "$work/software"
  python3 "$here/make-hive.py" "$work/mounted/Windows/System32/config/SYSTEM" "$work/system"
  hiberfil > "$work/mounted/hiberfil.sys"
  umount "$work/mounted"
}

# The flag in $Volume's $VOLUME_INFORMATION, which is the volume's version and then its flags; and in the record's mirror.
mark_dirty() {
  python3 - "$1" << 'END'
import struct, sys
with open(sys.argv[1], "r+b") as file:
    boot = file.read(512)
    for cluster in struct.unpack_from("<QQ", boot, 0x30):
        record = cluster * boot[13] * 512 + 3 * 1024
        file.seek(record)
        bytes = file.read(1024)
        at = struct.unpack_from("<H", bytes, 20)[0]
        while struct.unpack_from("<I", bytes, at)[0] != 0x70:
            at += struct.unpack_from("<I", bytes, at + 4)[0]
        file.seek(record + at + struct.unpack_from("<H", bytes, at + 20)[0] + 10)
        file.write(b"\1\0")
END
}

put() { dd if="$1" of="$out" bs=1M seek="$2" conv=notrunc,sparse status=none; } # FILE MIB

make_esp() {
  mkdir -p "$work/esp"
  { printf 'MZ'; head -c 58 /dev/zero; printf '\x40\0\0\0PE\0\0\x64\x86'; head -c 100 /dev/zero; } > "$work/bootmgfw.efi"
  truncate -s 32M "$work/esp.img"
  mformat -i "$work/esp.img" ::
  mmd -i "$work/esp.img" ::/EFI ::/EFI/Microsoft ::/EFI/Microsoft/Boot ::/EFI/Boot
  mcopy -i "$work/esp.img" "$work/bootmgfw.efi" ::/EFI/Microsoft/Boot/bootmgfw.efi
  mcopy -i "$work/esp.img" "$work/bootmgfw.efi" ::/EFI/Boot/bootx64.efi
}

rm -f "$out" "$out.ntfs"
truncate -s 160M "$out"
if [ -n "$bios" ]; then
  sfdisk -q "$out" << 'END'
label: dos
label-id: 0x77696e37
start=1MiB, size=16MiB, type=7, bootable
start=17MiB, size=96MiB, type=7
END
  # What stands in sector 0 of a disk that Windows was set up on starts so.
  printf '\x33\xc0\x8e\xd0\xbc\x00\x7c\x8e\xc0\x8e\xd8\xbe\x00\x7c\xbf\x00\x06' | dd of="$out" conv=notrunc status=none
  make_ntfs "$work/reserved" "System Reserved" 16M 2048
  mkdir "$work/mounted/Boot"
  printf 'x' > "$work/mounted/bootmgr"
  python3 "$here/make-hive.py" "$work/mounted/Boot/BCD"
  umount "$work/mounted"
  put "$work/reserved" 1
  first=17
else
  sfdisk -q "$out" << 'END'
label: gpt
start=1MiB, size=32MiB, type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b, name="EFI system partition"
start=33MiB, size=16MiB, type=e3c9e316-0b5c-4db8-817d-f92df00215ae, name="Microsoft reserved partition"
start=49MiB, size=96MiB, type=ebd0a0a2-b9e5-4433-87c0-68b6b72699c7, name="Basic data partition"
start=145MiB, size=8MiB, type=de94bba4-06d1-4d40-a16a-bfd50179d6ac
END
  make_esp
  put "$work/esp.img" 1
  make_ntfs "$work/recovery" Recovery 8M $((145 * 2048))
  mkdir -p "$work/mounted/Recovery/WindowsRE"
  printf 'MSWIM' > "$work/mounted/Recovery/WindowsRE/Winre.wim"
  umount "$work/mounted"
  put "$work/recovery" 145
  first=49
fi
make_ntfs "$out.ntfs" Windows 96M $((first * 2048))
fill_system
[ -z "$dirty" ] || mark_dirty "$out.ntfs"
put "$out.ntfs" "$first"
