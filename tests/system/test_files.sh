#!/bin/bash
# Files are listed, printed and copied out of a disk as the kernel shows them mounted, of one volume and of the system that
# is put together of several; out of snapshots, folders and images; and no name leads out of where they are copied to.
. "$(dirname "$0")/lib.sh"
need_root

DISK=$T/disk.img
truncate -s 900M "$DISK"
printf 'label: gpt\nfirst-lba: 2048\n1: start=2048, size=600000, type=L\n2: start=602112, size=620000, type=L\n3: start=1222656, size=600000, type=L\n' |
  sfdisk -q "$DISK"

# mounted NUMBER MKFS...: makes the filesystem of that partition, and mounts it at $T/pNUMBER.
mounted() {
  local start size loop
  read -r start size < <(sfdisk -J "$DISK" | jq -r ".partitiontable.partitions[$1 - 1] | \"\(.start) \(.size)\"")
  loop=$(losetup -f --show -o $((start * 512)) --sizelimit $((size * 512)) "$DISK")
  LOOPS[$1]=$loop
  at_end "losetup -d $loop 2> /dev/null"
  "${@:2}" "$loop" > /dev/null 2>&1 || fail "no filesystem in p$1"
  mkdir -p "$T/p$1"
  mount "$loop" "$T/p$1"
  at_end "umount '$T/p$1' 2> /dev/null"
}

# fill FOLDER: what a copy has to keep.
fill() {
  fill_special "$1"
  mkdir -p "$1/deep/er/and/deeper" "$1/empty"
  head -c 3000000 /dev/urandom > "$1/deep/er/data"
  truncate -s 40M "$1/deep/sparse"
  printf end | dd of="$1/deep/sparse" bs=1 seek=20000000 conv=notrunc status=none
  printf 'a line\n' > "$1/deep/er/and/deeper/"$'a\nname\twith \\ and \x1b'
  ln -s ../nowhere "$1/deep/dangling"
  ln -s /etc/fstab "$1/deep/absolute"
  ln "$1/deep/er/data" "$1/same-data"
  for i in {1..3000}; do echo "$i" > "$1/empty/../deep/er/file-$i"; done
  touch -d '1965-06-07 08:09:10.5 UTC' "$1/same-data" 2> /dev/null
}

LOOPS=()
mounted 3 mkfs.btrfs -q # first: it refuses a loop device whose file has a filesystem that is mounted
mounted 1 mkfs.ext4 -q -b 1024
mounted 2 mkfs.xfs -q
mkdir -p "$T/p1/etc" "$T/p1/home" "$T/p1/usr/lib"
printf 'ID=debian\nNAME=Debian\nPRETTY_NAME="Debian for files"\n' > "$T/p1/etc/os-release"
uuid() { blkid -o value -s UUID "${LOOPS[$1]}"; }
printf 'UUID=%s / ext4 defaults 0 1\nUUID=%s /home xfs defaults 0 2\n' "$(uuid 1)" "$(uuid 2)" > "$T/p1/etc/fstab"
btrfs -q subvolume create "$T/p3/@data"
for folder in p1 p2 p3/@data; do fill "$T/$folder"; done
sync

# told FOLDER: all that a copy keeps, a line a file.
told() {
  (
    cd "$1" || exit
    find . -mindepth 1 -not -path ./lost+found \( -type d -printf '%P d %m %U %G %T@\0' -o -printf '%P %y %m %U %G %n %T@ %l\0' \) | sed -z 's/\.\([0-9]\{9\}\)0 /.\1 /' | sort -z | tr '\0\n' '\n?'
    find . -type f -print0 | sort -z | xargs -0 sha256sum | cut -c 1-64
    find . -mindepth 1 \( -type f -o -type d \) -not -path ./lost+found -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex 2> /dev/null |
      grep -vE '^trusted\.SGI_ACL|^user\.large=.{9000}' # those of XFS alone, and what $T's filesystem has no room for
  )
}
for number in 1 2 3; do told "$T/p$number" > "$T/told-$number"; done
told "$T/p3/@data" > "$T/told-data"
for number in 1 2 3; do
  umount "$T/p$number"
  losetup -d "${LOOPS[$number]}"
done
base=$(base_identity "$DISK")

claim "a copy is what the kernel shows: ext4, XFS, btrfs"
mkdir "$T/copy"
for number in 1 2 3; do
  expect_status 0 hrvm cp -r --special "$DISK:p$number:/" "$T/copy/p$number"
  rm -rf "$T/copy/p$number/lost+found"
  told "$T/copy/p$number" > "$T/copied"
  diff "$T/told-$number" "$T/copied" > "$T/diff" || fail "p$number: $(cut -c 1-200 "$T/diff" | head -n 20)"
done
[ "$(du -k "$T/copy/p1/deep/sparse" | cut -f 1)" -lt 1000 ] || fail 'a sparse file is none in the copy'

claim "so is a tar archive, unpacked by tar, and a subvolume by its name"
mkdir "$T/unpacked"
hrvm cp -r --special "$DISK:p3:@data:/" - > "$T/data.tar" || fail "no archive"
tar -xpf "$T/data.tar" --xattrs --xattrs-include='*' --sparse -C "$T/unpacked" --strip-components 1 2> "$T/err" || fail "$(cat "$T/err")"
told "$T/unpacked" > "$T/copied"
# An archive has no sockets.
diff <(grep -v '^special/socket ' "$T/told-data" | sed 's/^special d.*/special/') \
  <(sed 's/^special d.*/special/' "$T/copied") > "$T/diff" || fail "$(cut -c 1-200 "$T/diff" | head -n 20)"

claim "without a volume it is the system, with what its fstab mounts"
expect_status 0 hrvm ls "$DISK:/home" --json
assert_json "$T/out" '.volume == "p1" and .type == "ext4" and (.mounts == [{"point": "/home", "source": "p2"}])'
assert_json "$T/out" '[.files[].path] | contains(["deep", "empty", "same-data", "special"])'
expect_status 0 hrvm ls "$DISK:p1:/home" --json
assert_json "$T/out" '.files == []'
hrvm cat "$DISK:/home/deep/er/data" > "$T/data"
cmp "$T/data" "$T/copy/p2/deep/er/data" || fail 'another file was printed'
expect_status 0 hrvm ls "$DISK:/deep/absolute"
assert_equal "$OUT" /deep/absolute 'a link is followed within the disk'
expect_status 0 hrvm cat "$DISK:/deep/absolute"
assert_contains "$OUT" ' /home xfs ' 'what it leads to'

claim "a list has all that find tells, and hides what a terminal would obey"
hrvm ls -lR "$DISK:p2:/" --json > "$T/out"
jq -j '.files[] | "\(.path) \(.mode) \(.uid) \(.gid) \(if .type == "dir" then 0 else .links end) \(if .type == "dir" then 0 else .size_bytes end)\u0000"' "$T/out" | sort -z > "$T/listed"
(cd "$T/copy/p2" && find . -mindepth 1 \( -type d -printf '%P 0%m %U %G 0 0\0' -o -printf '%P 0%m %U %G %n %s\0' \)) |
  sed -z 's/ 0\([0-7]\{4\}\) / \1 /' | sort -z > "$T/found"
diff <(tr '\0\n' '\n?' < "$T/found") <(tr '\0\n' '\n?' < "$T/listed") > "$T/diff" || fail "$(head -n 20 "$T/diff")"
expect_status 0 hrvm ls "$DISK:p2:/deep/er/and/deeper"
assert_equal "$OUT" 'a\x0aname\x09with \ and \x1b' 'a name'
expect_status 0 hrvm ls "$DISK:p2:/special" -l
assert_contains "$OUT" '-rwSrwS---' 'permissions'

claim "what a terminal is not told to do: devices and others' rights stay behind unless they are asked for"
expect_status 0 hrvm cp -r "$DISK:p1:/special" "$T/plain"
assert_contains "$ERR" '4 device files or the like were left out: --special makes them'
assert_equal "$(stat -c %a "$T/plain/owned")" 660 'mode'
getcap "$T/plain/owned" | grep -q . && fail 'it has a capability'
[ ! -e "$T/plain/disk" ] || fail 'a device was made'
expect_status 0 hrvm cp -r --no-owner "$DISK:p1:/special" "$T/mine"
assert_equal "$(stat -c %u "$T/mine/owned")" 0 'owner'

claim "nothing that is there is replaced, and nothing is made elsewhere"
mkdir "$T/elsewhere" "$T/into"
ln -s "$T/elsewhere" "$T/into/deep"
expect_status 1 hrvm cp -r "$DISK:p1:/deep" "$T/into"
assert_contains "$ERR" 'nothing is replaced' hint
[ -z "$(ls -A "$T/elsewhere")" ] || fail 'something was written through a link'
printf mine > "$T/into/fstab"
expect_status 1 hrvm cp "$DISK:/etc/fstab" "$T/into/"
assert_equal "$(cat "$T/into/fstab")" mine 'the file that was there'

claim "of machines, snapshots and folders too"
expect_status 0 hrvm import "$DISK" web
expect_status 0 hrvm snapshot create web@fresh
expect_status 0 hrvm cat web@fresh:/etc/os-release
assert_contains "$OUT" 'Debian for files'
expect_status 0 hrvm cp web:p1:/etc/fstab "$T/of-machine"
mkdir -p "$T/tree/etc" && ln -s /etc/real "$T/tree/etc/link" && echo of-a-folder > "$T/tree/etc/real"
expect_status 0 hrvm cat "$T/tree:/etc/link"
assert_equal "$OUT" of-a-folder 'through a link within it'
expect_status 1 hrvm cat "$T/tree:/../../etc/hostname"
expect_status 1 hrvm cat "$T/tree:/etc/link/"
assert_contains "$ERR" 'is no folder'
expect_status 0 hrvm ls "$T/tree:/etc/"

claim "what is not there is told with what is"
expect_status 1 hrvm ls "$DISK:p7:/"
assert_contains "$ERR" 'its volumes: p1, p2, p3, p3:@data'
expect_status 1 hrvm cat "$DISK:/etc/none"
assert_one_message
expect_status 1 hrvm cat "$DISK:/etc"
assert_contains "$ERR" 'a folder'
expect_status 2 hrvm cp "$DISK:/etc" "$T/into"
expect_status 1 hrvm ls nothing:/etc
assert_one_message

claim "a disk that gets the number of a stream that is closed is read all the same"
"$HRVM" ls "$DISK:p1:/etc" <&- > "$T/out" 2> "$T/err" || fail "$(cat "$T/err")"
grep -qx fstab "$T/out" || fail "it lists $(cat "$T/out")"
"$HRVM" discover "$DISK" --json 2>&- <&- > "$T/out" || fail 'discover'
assert_json "$T/out" '.disks[0].systems | length == 1'

claim "a journal that was not written back is replayed, as a mount would"
cp "$DISK" "$T/torn.img"
start=$(sfdisk -J "$T/torn.img" | jq '.partitiontable.partitions[0].start')
loop=$(losetup -f --show -o $((start * 512)) --sizelimit $((600000 * 512)) "$T/torn.img")
at_end "losetup -d $loop 2> /dev/null"
mount "$loop" "$T/p1"
echo late > "$T/p1/late"
sync -f "$T/p1/late"
cp --sparse=always "$T/torn.img" "$T/as-cut.img"
umount "$T/p1"
expect_status 0 hrvm ls "$T/as-cut.img:p1:/" --json
assert_json "$T/out" '.state == "replayed" and ([.files[].path] | contains(["late"]))'
expect_status 0 hrvm cat "$T/as-cut.img:p1:/late"
assert_equal "$OUT" late 'what was written last'

claim "the disk is unchanged"
assert_equal "$(base_identity "$DISK")" "$base" "the disk"
