#!/bin/bash
# Windows: NTFS filled by ntfs-3g, hives by libhivex. hrvm reads what these show.
. "$(dirname "$0")/lib.sh"
need_root
[ -c /dev/fuse ] || skip "needs FUSE, which ntfs-3g writes through"
in_private_host

disk=$T/windows.img mounted=$T/mounted
mkdir "$mounted"

discovered() { # [OPTIONS of make-windows-disk.sh]: the JSON is in $T/disk.json
  local before
  "$SUPPORT/make-windows-disk.sh" "$@" "$disk"
  before=$(base_identity "$disk")
  expect_status 0 hrvm discover "$disk" --json
  assert_equal "$(base_identity "$disk")" "$before" "the disk"
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }
findings() { assert_equal "$(jq -r '[.findings[] | "\(.subject) \(.id)"] | join(", ")' "$T/disk.json")" "$1" "the findings"; }

claim "NTFS shows what ntfs-3g shows of it: folders of all sizes, links, holes, many pieces, compressed files"
image=$T/ntfs
for options in "" "-c 512" "-c 65536"; do
  rm -f "$image"
  truncate -s 200M "$image"
  mkntfs -F -Q -q -s 512 -p 0 -H 16 -S 63 $options "$image" > "$T/mkntfs" 2>&1 || fail "mkntfs: $(cat "$T/mkntfs")"
  ntfs-3g -o compression,special_files=wsl "$image" "$mounted"
  mkdir -p "$mounted"/{few,some,many,packed,a/b/c}
  for i in {1..5}; do printf '%s' "$i" > "$mounted/few/$i"; done
  for i in {1..150}; do printf '%s' "$i" > "$mounted/some/a náme of some length, nümber $i"; done
  (cd "$mounted/many" && printf 'a-name-that-fills-the-folders-blocks-sooner-%04d\n' {1..1500} | xargs touch)
  rm "$mounted/some/a náme of some length, nümber "{20..60}
  ln -s ../few/1 "$mounted/a/short"
  head -c 3M /dev/urandom > "$mounted/a/b/whole"
  python3 - "$mounted" << 'END'
import os, sys
top = sys.argv[1]
if len(sys.argv) == 2:
    with open(top + "/a/b/holes", "wb") as file:
        for at in (12288, 2867200): file.seek(at); file.write(b"data")
    with open(top + "/a/b/pieces", "wb") as file, open(top + "/a/b/between", "wb") as other:
        for i in range(300): file.write(b"%08192d" % i); file.flush(); other.write(b"x" * 8192); other.flush()
    try: os.setxattr(top + "/packed", "system.ntfs_attrib", (0x810).to_bytes(4, "little"))
    except OSError: pass
    for name, size in ("small", 20), ("large", 60000): os.setxattr(top + "/a/b/holes", "user." + name, b"x" * size)
    os.link(top + "/few/1", top + "/few/another name of 1")
    with open(top + "/packed/text", "w") as file:
        for i in range(100000): file.write("line %d\n" % i)
END
  umount "$mounted"
  ntfs-3g -o ro,special_files=wsl "$image" "$mounted"
  HRVM_TEST_COPY=1 HRVM_TEST_IMAGE=$image HRVM_TEST_TYPE=ntfs HRVM_TEST_TREE=$mounted \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.kernel],[.mounted]' > "$T/out" || fail "hrvm reads something else: $(cat "$T/out")"
  umount "$mounted"
done

claim "Windows 11 on a disk with GPT"
discovered --windows 11 --virtio
says '[.partitions[] | .role] == ["esp", "msr", "root", "recovery"]'
says '[.partitions[] | .filesystem] == ["vfat", null, "ntfs", "ntfs"]'
says '.systems | length == 1'
says '.systems[0] | .id == "windows" and .family == "windows" and .root == "p3" and .hostname == "Desk-11"'
says '.systems[0] | .pretty == "Windows 11 Pro 23H2 (build 22631.3007)" and .version == "10.0.22631.3007"'
says '.systems[0] | .virtio == "yes" and .hibernated == false and .needs_recovery == false'
says '.firmware == ["uefi"]'
findings ""

claim "its registry is what ntfscat and hivexget say"
ntfscat "$disk.ntfs" /Windows/System32/config/SOFTWARE > "$T/SOFTWARE"
assert_equal "$(hivexget "$T/SOFTWARE" 'Microsoft\Windows NT\CurrentVersion' CurrentBuildNumber)" 22631 "the build"
assert_equal "$(hivexget "$T/SOFTWARE" 'Microsoft\Windows NT\CurrentVersion' DisplayVersion)" 23H2 "the release"
ntfscat "$disk.ntfs" /Windows/System32/config/SYSTEM > "$T/SYSTEM"
assert_equal "$(hivexget "$T/SYSTEM" 'ControlSet001\Services\Tcpip\Parameters' 'NV Hostname')" Desk-11 "the name"

claim "a machine gets a bus that Windows has a driver for"
says '.advice.bus == "virtio"'

claim "Windows 7 on a disk for BIOS, with its boot partition"
discovered --windows 7 --bios
says '.table == "dos" and [.partitions[] | .role] == ["boot", "root"]'
says '.systems | length == 1 and .[0].pretty == "Windows 7 Professional Service Pack 1 (build 7601)"'
says '.systems[0] | .version == "6.1.7601" and .virtio == "no" and .root == "p2"'
says '.firmware == ["bios"]'

claim "Windows 10 and Windows Server 2022"
discovered --windows 10
says '.systems[0].pretty == "Windows 10 Pro 22H2 (build 19045.3797)" and .systems[0].virtio == "no"'
says '.advice.bus != "virtio"'
discovered --windows 2022
says '.systems[0].pretty == "Windows Server 2022 Standard 21H2 (build 20348.2335)"'

claim "one that is hibernated, one that Fast Startup has shut down, one that was not shut down"
discovered --hibernated
findings "p3 hibernated"
says '.systems[0].hibernated'
discovered --fast-startup
findings "p3 fast-startup"
says '.systems[0].hibernated and (.findings[0].remedy | contains("shutdown /s /t 0"))'
discovered --windows 7 --hibernated --bios
findings "p2 hibernated"
discovered --dirty
findings "p3 filesystem-unclean"
says '.systems[0].needs_recovery'
assert_contains "$(ntfsinfo -fm "$disk.ntfs" 2>&1)" "Volume Flags: 0x0001" "ntfsinfo"
