#!/bin/bash
# What diff tells of two states of a disk is what two walks through the kernel's mounts of them show: after random changes
# on ext4, XFS and btrfs, closed and copied while they were mounted; of images, and of layers of a machine, of which it
# reads no more than it must.
# Namespaces of others would keep mounted what is unmounted here.
[ "$(id -u)" != 0 ] || [ -n "${OWN_MOUNTS:-}" ] || exec env OWN_MOUNTS=1 unshare -m "$0" "$@"
. "$(dirname "$0")/lib.sh"
need_root
export ASAN_OPTIONS=detect_leaks=0 # its checker cannot work under strace
mount --make-rprivate /

OLD=$T/old.img NEW=$T/new.img CRASHED=$T/crashed.img
changes() { python3 "$SUPPORT/random-changes.py" "$@"; }

# Numbers, filesystems, and with what they are made.
MAKERS=('mkfs.ext4 -q' 'mkfs.ext4 -q -b 1024 -O fast_commit' 'mkfs.xfs -q' 'mkfs.btrfs -q')
PARTS=(1 2 3 4)
truncate -s 1500M "$OLD"
printf 'label: gpt\nfirst-lba: 2048\nsize=300M, type=L\nsize=300M, type=L\nsize=320M, type=L\nsize=300M, type=L\nsize=64M, type=U\nsize=64M\n' |
  sfdisk -q "$OLD"

# on PART DISK COMMAND...: with that partition at $T/mnt.
on() {
  local start size loop status=0
  read -r start size < <(sfdisk -J "$2" | jq -r ".partitiontable.partitions[$1 - 1] | \"\(.start) \(.size)\"")
  loop=$(losetup -f --show -o $((start * 512)) --sizelimit $((size * 512)) "$2")
  mkdir -p "$T/mnt"
  mount "$loop" "$T/mnt" && { "${@:3}" || status=$?; umount "$T/mnt"; } || status=$?
  losetup -d "$loop"
  return "$status"
}
made() { # PART MKFS...
  local start size
  read -r start size < <(sfdisk -J "$OLD" | jq -r ".partitiontable.partitions[$1 - 1] | \"\(.start) \(.size)\"")
  truncate -s $((size * 512)) "$T/part"
  "${@:2}" "$T/part" > /dev/null 2>&1 || fail "no filesystem: ${*:2}"
  dd if="$T/part" of="$OLD" bs=1M seek=$((start / 2048)) conv=notrunc,sparse status=none
  rm "$T/part"
}
fill() {
  mkdir "$T/mnt/t"
  changes make "$T/mnt/t" 400 "$1"
  sync -f "$T/mnt"
}
told() { changes told "$T/mnt" > "$1"; }
change() {
  changes change "$T/mnt/t" 300 "$1"
  told "$2"
}
# The last of what is changed is not written down: a file that is synced makes a journal's work of what was before it.
crash() {
  changes change "$T/mnt/t" 200 "$1"
  # btrfs keeps what was synced by itself in a tree that is not read yet.
  [ "$2" = 4 ] && sync -f "$T/mnt" || dd if=/dev/zero of="$T/mnt/t/synced" bs=5000 count=1 conv=fsync status=none
  changes change "$T/mnt/t" 20 "$1$1"
  cp --sparse=always "$CRASHED" "$T/copy"
}

for part in "${PARTS[@]}"; do
  made "$part" ${MAKERS[part - 1]}
  on "$part" "$OLD" fill "$part"
  on "$part" "$OLD" told "$T/old-$part"
done
made 5 mkfs.vfat
made 6 mkntfs -q -F
offset() { echo $(($(sfdisk -J "$OLD" | jq ".partitiontable.partitions[$1 - 1].start") * 512)); }
fat() { MTOOLS_SKIP_CHECK=1 "$1" -i "$2@@$(offset 5)" "${@:3}"; }
echo first > "$T/first"
echo other > "$T/other"
fat mmd "$OLD" ::EFI
fat mcopy "$OLD" "$T/first" ::EFI/changed
fat mcopy "$OLD" "$T/first" ::EFI/gone
ntfs() { # DISK FILE NAME
  dd if="$1" of="$T/part" bs=1M skip=$(($(offset 6) >> 20)) count=64 status=none
  ntfscp -q -f "$T/part" "$2" "$3" 2> /dev/null || fail "no $3"
  dd if="$T/part" of="$1" bs=1M seek=$(($(offset 6) >> 20)) conv=notrunc status=none
  rm "$T/part"
}
ntfs "$OLD" "$T/first" same
ntfs "$OLD" "$T/first" changed
base=$(base_identity "$OLD")

cp --sparse=always "$OLD" "$NEW"
for part in "${PARTS[@]}"; do on "$part" "$NEW" change "$part$part" "$T/new-$part"; done
fat mcopy "$NEW" -o "$T/other" ::EFI/changed
fat mdel "$NEW" ::EFI/gone
fat mcopy "$NEW" "$T/first" "::EFI/A long name"
ntfs "$NEW" "$T/other" changed
ntfs "$NEW" "$T/other" came

cp --sparse=always "$NEW" "$CRASHED"
for part in "${PARTS[@]}"; do
  on "$part" "$CRASHED" crash "$part" "$part"
  mv "$T/copy" "$CRASHED"
done
cp --sparse=always "$CRASHED" "$T/mounted.img"
for part in "${PARTS[@]}"; do on "$part" "$T/mounted.img" told "$T/crashed-$part"; done

# expect_changes FROM TO WORDS...: diff with these words tells what the lists of the kernel's mounts differ in.
expect_changes() {
  local from=$1 to=$2 part
  shift 2
  hrvm diff "$@" --noise --json > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
  for part in "${PARTS[@]}"; do
    jq --arg volume "p$part" '.changes |= map(select(.volume == $volume))' "$T/out" > "$T/part.json"
    changes expect "$T/$from-$part" "$T/$to-$part" > "$T/expected"
    changes said "$T/part.json" "$T/$from-$part" "$T/$to-$part" > "$T/said"
    [ "$(wc -l < "$T/expected")" -gt 80 ] || fail "p$part: hardly anything was changed"
    diff "$T/expected" "$T/said" > "$T/differs" || fail "p$part: $(cut -c 1-200 "$T/differs" | head -n 20)"
  done
}

claim "of two images it tells what was changed: ext4, XFS, btrfs"
expect_changes old new "$OLD" "$NEW"
assert_json "$T/out" '[.volumes[] | select(.volume | IN("p1", "p2", "p3", "p4")) | .state] == ["clean", "clean", "clean", "clean"]'
expect_changes new old "$NEW" "$OLD"

claim "of FAT and NTFS too"
assert_json "$T/out" '[.changes[] | select(.volume == "p5" and .path != "/EFI" and .path != "/") | "\(.mark) \(.path)"]
  == ["- /EFI/A long name", "M /EFI/changed", "+ /EFI/gone"]'
assert_json "$T/out" '[.changes[] | select(.volume == "p6" and .what != ["times"] and .path != "/") | "\(.mark) \(.path)"] == ["- /came", "M /changed"]'

claim "what a journal holds that was not written back is told as a mount shows it"
expect_changes new crashed "$NEW" "$CRASHED"
assert_json "$T/out" '[.volumes[] | select(.volume | IN("p1", "p2", "p3")) | .state] == ["replayed", "replayed", "replayed"]'

claim "of the same disk there is nothing"
expect_status 0 hrvm diff "$NEW" "$NEW"
assert_equal "$OUT" 'Nothing changed.' 'the same image twice'
cp --sparse=always "$NEW" "$T/again.img"
expect_status 0 hrvm diff "$NEW" "$T/again.img" --exit-code
expect_status 1 hrvm diff "$OLD" "$NEW" --exit-code

# write_into MACHINE FROM TO: where the two images differ, what TO has goes into the machine's active layer.
write_into() {
  python3 - "$2" "$3" "$T/pieces" << 'PYTHON' > "$T/commands"
import os, sys
step = 1 << 16
with open(sys.argv[1], "rb") as old, open(sys.argv[2], "rb") as new, open(sys.argv[3], "wb") as pieces:
    at = 0
    while a := old.read(step):
        b = new.read(step)
        for page in range(0, len(a), 4096):
            if a[page:page + 4096] != b[page:page + 4096]:
                name = f"{sys.argv[3]}-{at + page}"
                with open(name, "wb") as file: file.write(b[page:page + 4096])
                print(f"write -q -s {name} {at + page} {len(b[page:page + 4096])}")
        at += len(a)
PYTHON
  qemu-io -f qcow2 "$(active_layer "$1")" < "$T/commands" > "$T/qemu-io.log" || fail "$(tail -n 3 "$T/qemu-io.log")"
  rm -f "$T/pieces"*
}

claim "so it is of a machine and its snapshots, and the base stays as it was"
expect_status 0 hrvm import "$OLD" web
expect_status 0 hrvm diff web
assert_equal "$OUT" 'Nothing changed.' 'a machine that is new'
write_into web "$OLD" "$NEW"
expect_changes old new web
expect_status 0 hrvm snapshot create web@new
write_into web "$NEW" "$CRASHED"
expect_changes new crashed web@new web
expect_changes old crashed web
expect_changes crashed old web "$OLD"
assert_equal "$(base_identity "$OLD")" "$base" 'the base'

claim "only what a layer holds is read of the disks, and the tables that lead to it"
strace -f -e trace=pread64,preadv,read -o "$T/reads" "$HRVM" diff web@new web > /dev/null 2>&1
read_bytes=$(awk '$NF ~ /^[0-9]+$/ { sum += $NF } END { print sum }' "$T/reads")
changed=$(hrvm diff web@new web --blocks --json | jq .blocks.changed_bytes)
layer=$(du -B 1 "$(active_layer web)" | cut -f 1)
[ "$read_bytes" -lt $((6 * layer + (120 << 20))) ] || fail "$read_bytes bytes were read, the layer has $layer, $changed differ"
[ "$changed" -le "$layer" ] || fail "$changed bytes differ, the layer has $layer"

claim "blocks are told by volume"
expect_status 0 hrvm diff web --blocks --json
assert_json "$T/out" '.blocks.changed_bytes >= ([.blocks.volumes[].changed_bytes] | add) and (.blocks.volumes | length) >= 6'

claim "what every start writes is counted, and shown when it is asked for"
cp --sparse=always "$OLD" "$T/noisy.img"
noisy() { mkdir -p "$T/mnt/var/log" "$T/mnt/etc" && echo x > "$T/mnt/var/log/syslog" && echo y > "$T/mnt/etc/fstab"; }
on 1 "$T/noisy.img" noisy
expect_status 0 hrvm diff "$OLD" "$T/noisy.img"
assert_contains "$OUT" '/etc/fstab' 'what matters'
assert_lacks "$OUT" syslog 'noise'
assert_contains "$OUT" 'not shown' 'a count'
expect_status 0 hrvm diff "$OLD" "$T/noisy.img" --noise --plain
assert_contains "$OUT" $'+\tfile\t/var/log/syslog\t\t2\tp1' 'noise that is asked for'

claim "packages that changed are told, and whose each file is"
# image NAME UUID: of $T/tree.
image() { mkfs.ext4 -q -F -d "$T/tree" -U "11111111-2222-3333-4444-55555555555$2" "$T/$1" 40M > /dev/null 2>&1; }
mkdir -p "$T/tree/etc" "$T/tree/usr/bin" "$T/tree/var/lib/dpkg/info"
ln -s usr/bin "$T/tree/bin"
printf 'ID=debian\nPRETTY_NAME="Debian 12"\n' > "$T/tree/etc/os-release"
package() { printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\n\n' "$1" "$2"; }
{ package bash 5.2-1; package gone 1; package libvirt-daemon 6.4.0-1; } > "$T/tree/var/lib/dpkg/status"
printf '/.\n/usr/bin/virtd\n' > "$T/tree/var/lib/dpkg/info/libvirt-daemon.list"
printf '/.\n/bin/bash\n/etc/bash.bashrc\n' > "$T/tree/var/lib/dpkg/info/bash.list"
printf 'one\ntwo\n' > "$T/tree/etc/bash.bashrc"
echo 1 | tee "$T/tree/usr/bin/virtd" "$T/tree/usr/bin/bash" > /dev/null
image packages-old.img 5
{ package bash 5.2-1; package libvirt-daemon 6.5.0-1; package came 2; } > "$T/tree/var/lib/dpkg/status"
printf 'one\n2\033[31m\n' > "$T/tree/etc/bash.bashrc"
echo 2 | tee "$T/tree/usr/bin/virtd" "$T/tree/usr/bin/bash" "$T/tree/etc/mine" > /dev/null
image packages-new.img 6
expect_status 0 hrvm diff "$T/packages-old.img" "$T/packages-new.img" --packages --json
assert_json "$T/out" '[.packages[] | [.name, .change, .from, .to]] == [["came", "added", null, "2"], ["gone", "removed", "1", null],
  ["libvirt-daemon", "upgraded", "6.4.0-1", "6.5.0-1"]]'
assert_json "$T/out" '[.changes[] | [.path, .package]] == [["/etc/bash.bashrc", "bash"], ["/usr/bin/bash", "bash"], ["/etc/mine", null],
  ["/var/lib/dpkg/status", null], ["/usr/bin/virtd", "libvirt-daemon"]]'

claim "what differs in a file is told line by line"
expect_status 1 hrvm diff "$T/packages-old.img" "$T/packages-new.img" --content /etc/bash.bashrc --exit-code
assert_contains "$OUT" $'\n-two\n+2\033[31m' 'the lines'
expect_status 0 hrvm diff "$T/packages-old.img" "$T/packages-new.img" --content disk:/etc/mine
assert_contains "$OUT" '--- /dev/null' 'a file that one side has'
expect_status 0 hrvm diff "$T/packages-old.img" "$T/packages-new.img" --content /etc/os-release
assert_equal "$OUT" '' 'a file that is the same'
expect_status 1 hrvm diff "$T/packages-old.img" "$T/packages-new.img" --content /etc/none
assert_contains "$ERR" 'neither' 'why'

claim "what cannot be compared is said"
expect_status 2 hrvm diff "$OLD"
assert_contains "$ERR" 'is no machine' 'why'
mkdir "$T/folder"
expect_status 1 hrvm diff "$OLD" "$T/folder"
assert_contains "$ERR" 'is a folder' 'why'
cp --sparse=always "$OLD" "$T/wiped.img"
dd if=/dev/urandom of="$T/wiped.img" bs=1M seek=$(($(offset 1) >> 20)) count=2 conv=notrunc status=none
expect_status 0 hrvm diff "$OLD" "$T/wiped.img"
assert_contains "$ERR" 'p1 differs, and its files are not told' 'a volume without a filesystem'
assert_lacks "$OUT" 'Nothing changed' 'beside that'
truncate -s 200M "$T/btrfs.img" && mkfs.btrfs -q "$T/btrfs.img" > /dev/null
cp --sparse=always "$T/btrfs.img" "$T/cut.img" && truncate -s 20M "$T/cut.img"
expect_status 1 hrvm diff "$T/btrfs.img" "$T/cut.img" --exit-code
assert_contains "$ERR" 'one side cannot be opened' 'a btrfs that is cut off'
assert_lacks "$OUT" '- ' 'files that cannot be known'
# /var cannot be looked at, nor what lies deeper: told once, from either side.
lost=$T/lost.img
cp "$T/packages-new.img" "$lost"
for folder in /var /var/lib/dpkg/info; do
  debugfs -w -R "clri $folder" "$lost" > /dev/null 2>&1 || true
done
expect_status 0 hrvm diff "$T/packages-new.img" "$lost" --plain
assert_equal "$(grep -c $'\t/var\t' <<< "$OUT")" 1 'lines of what cannot be looked at'
assert_contains "$ERR" 'could not be looked at' 'why'
expect_status 0 hrvm diff "$lost" "$T/packages-new.img" --plain
assert_lacks "$OUT" '- ' 'what is only not known'
expect_status 0 hrvm import "$T/packages-old.img" moved
debugfs -w -R 'mkdir /new' "$T/packages-old.img" > /dev/null 2>&1
expect_status 4 hrvm diff moved
assert_contains "$ERR" 'is not what moved was made on' 'a base that changed'
expect_status 0 hrvm diff moved --force
