#!/bin/bash
# Filesystems made by their own tools and filled by the kernel, mounted on loop devices: hrvm reads what the kernel shows.
. "$(dirname "$0")/lib.sh"
need_root
in_private_host

image=$T/image mounted=$T/mounted
mkdir "$mounted"

# Folders of all sizes, a file in many pieces, one with holes, links short and long, an old file and an empty one.
fill() {
  local i
  mkdir -p "$mounted"/{etc,few,some,many,a/b/c}
  printf 'ID=rocky\nVERSION_ID="9.3"\nPRETTY_NAME="Rocky Linux 9.3"\nNAME="Rocky Linux"\n' > "$mounted/etc/os-release"
  printf 'rocky9\n' > "$mounted/etc/hostname"
  for i in {1..5}; do : > "$mounted/few/$i"; done
  for i in {1..150}; do printf '%s' "$i" > "$mounted/some/a name of some length, number $i"; done
  (cd "$mounted/many" && printf 'a-name-that-fills-the-folders-blocks-sooner-%04d\n' {1..6000} | xargs touch)
  ln -s ../etc/os-release "$mounted/a/short"
  ln -s "$(printf 'long/%.0s' {1..180})end" "$mounted/a/long"
  head -c 3M /dev/urandom > "$mounted/a/b/whole"
  dd if=/dev/urandom of="$mounted/a/b/holes" bs=4k count=1 seek=700 status=none
  dd if=/dev/urandom of="$mounted/a/b/holes" bs=4k count=1 seek=3 conv=notrunc status=none
  python3 -c 'import sys
with open(sys.argv[1], "wb") as file:
    for i in range(1500): file.seek(i * 16390); file.write(b"piece %04d" % i)' "$mounted/a/b/pieces"
  fallocate -l 1M "$mounted/a/b/c/reserved" 2> /dev/null || : # ext2 and ext3 reserve nothing
  printf x > "$mounted/a/b/c/old"
  touch -d '1969-07-20 20:17:40 UTC' "$mounted/a/b/c/old"
  rm "$mounted/some/a name of some length, number "{20..60}
  fill_special "$mounted"
}

compare() { # TYPE TREE
  HRVM_TEST_IMAGE=$image HRVM_TEST_TYPE=$1 HRVM_TEST_TREE=$2 \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.kernel]' > "$T/out" \
    || fail "hrvm reads something else: $(cat "$T/out")"
}

# Every 97th name of a folder leads to what the kernel finds by it, and all of them are told.
find_all() { # TYPE FOLDER
  HRVM_TEST_IMAGE=$image HRVM_TEST_TYPE=$1 HRVM_TEST_TREE=$2 \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.folder]' > "$T/out" \
    || fail "hrvm finds something else: $(cat "$T/out")"
}

# The files are compared while they are mounted read-only, so that the kernel shows what is on the disk.
check() { # TYPE MKFS...
  local type=$1
  shift
  rm -f "$image"
  truncate -s 400M "$image"
  "$@" "$image" > "$T/mkfs" 2>&1 || fail "$* fails: $(cat "$T/mkfs")"
  mount -o loop "$image" "$mounted"
  fill
  umount "$mounted"
  mount -o loop,ro "$image" "$mounted"
  compare "$type" "$mounted"
  umount "$mounted"
  expect_status 0 hrvm discover "$image" --json
  assert_json "$T/out" '.disks[0] | .systems[0].pretty == "Rocky Linux 9.3" and .systems[0].needs_recovery == false'
}

claim "XFS as mkfs makes it"
check xfs mkfs.xfs -q
claim "XFS with small blocks and large folder blocks"
check xfs mkfs.xfs -q -b size=1024 -n size=8192
claim "XFS with many extents, and one with inodes of 1 KiB"
check xfs mkfs.xfs -q -i nrext64=1
check xfs mkfs.xfs -q -i size=1024
# Kernels do not mount it any more, but mkfs can fill it.
prototype() { # FOLDER: its entries, one a line
  local entry name
  for entry in "$1"/*; do
    name=${entry##*/}
    if [ -L "$entry" ]; then
      printf '%s l--777 0 0 %s\n' "$name" "$(readlink "$entry")"
    elif [ -d "$entry" ]; then
      printf '%s d--755 0 0\n' "$name"
      prototype "$entry"
    else
      printf '%s ---644 0 0 %s\n' "$name" "$entry"
    fi
  done
  printf '$\n'
}
claim "XFS of version 4, with and without file types in folders"
mkdir -p "$T/tree"/{etc,few,many,a/b}
printf 'ID=centos\n' > "$T/tree/etc/os-release"
for i in {1..5}; do printf '%s' "$i" > "$T/tree/few/$i"; done
(cd "$T/tree/many" && printf 'a-name-that-fills-the-folders-blocks-sooner-%04d\n' {1..1500} | xargs touch)
ln -s ../etc/os-release "$T/tree/a/short"
ln -s "$(printf 'long/%.0s' {1..180})end" "$T/tree/a/long"
head -c 3M /dev/urandom > "$T/tree/a/b/whole"
{ printf 'none\n0 0\nd--755 0 0\n'; prototype "$T/tree"; } > "$T/prototype"
for types in 0 1; do
  rm -f "$image"
  truncate -s 400M "$image"
  mkfs.xfs -q -m crc=0 -n ftype=$types -p "$T/prototype" "$image" > "$T/mkfs" 2>&1 || fail "mkfs.xfs: $(cat "$T/mkfs")"
  HRVM_TEST_COPY=1 compare xfs "$T/tree"
done

claim "ext4 as mkfs makes it, with small blocks, and with all that is new in it"
check ext4 mkfs.ext4 -q
check ext4 mkfs.ext4 -q -b 1024
check ext4 mkfs.ext4 -q -O inline_data,ea_inode,large_dir,metadata_csum_seed
check ext4 mkfs.ext4 -q -O bigalloc,sparse_super2,^resize_inode -I 512
claim "ext3 and ext2, with inodes of 128 bytes too"
check ext3 mkfs.ext3 -q -b 1024
check ext2 mkfs.ext2 -q -I 128

claim "ext4's folder of 100000 names by each kind of hash, and one with an index of three levels"
names() { # COUNT LENGTH FOLDER
  python3 - "$@" << 'PYTHON'
import os, sys
count, length, top = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.makedirs(top)
for i in range(count): os.mknod(f"{top}/{'größe' if i % 3 == 0 else 'size'}-{i:06}".ljust(length, "x"))
PYTHON
}
remake() { # MKFS-OPTIONS...
  rm -f "$image"
  truncate -s 400M "$image"
  mkfs.ext4 -q "$@" "$image"
  mount -o loop "$image" "$mounted"
}
remake -b 1024 -N 110000
names 100000 20 "$mounted/many"
umount "$mounted"
for hash in legacy half_md4 tea; do
  for characters in 1 2; do # signed, unsigned
    tune2fs -E hash_alg=$hash "$image" > /dev/null
    debugfs -w -R "ssv flags $characters" "$image" 2> /dev/null
    e2fsck -f -y -D "$image" > /dev/null || [ $? = 1 ] || fail "e2fsck fails"
    mount -o loop,ro "$image" "$mounted"
    find_all ext4 "$mounted/many"
    umount "$mounted"
  done
done
remake -b 1024 -N 70000 -O large_dir
names 60000 240 "$mounted/many"
umount "$mounted"
debugfs -R 'htree_dump /many' "$image" 2> /dev/null | head -n 20 | grep -q 'Indirect levels: 2' || fail "it has not three levels"
mount -o loop,ro "$image" "$mounted"
find_all ext4 "$mounted/many"
umount "$mounted"

claim "XFS that was not unmounted is told as such"
rm -f "$image"
truncate -s 400M "$image"
mkfs.xfs -q "$image"
mount -o loop "$image" "$mounted"
for i in {1..50}; do printf '%s' "$i" > "$mounted/$i"; done
sync "$mounted/50"
cp --sparse=always "$image" "$T/torn"
umount "$mounted"
expect_status 0 hrvm discover "$T/torn" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == ["filesystem-unclean"]'
expect_status 0 hrvm discover "$image" --json
assert_json "$T/out" '[.disks[0].findings[].id] - ["no-loader"] == []'

claim "an exFAT stick is told by name and label, and not taken for what a system may hide in"
rm -f "$image"
truncate -s 64M "$image"
sfdisk -q "$image" <<< 'start=2048, type=7'
truncate -s 63M "$T/stick"
mkfs.exfat -L 'My stick' "$T/stick" > "$T/mkfs" || fail "mkfs.exfat fails: $(cat "$T/mkfs")"
dd if="$T/stick" of="$image" bs=1M seek=1 conv=notrunc status=none
expect_status 0 hrvm discover "$image" --json
assert_json "$T/out" '.disks[0] | .findings == [] and .systems == [] and (.partitions[0] |
  .filesystem == "exfat" and .label == "My stick" and .role == "data" and
  .uuid == "'"$(blkid -p -s UUID -o value "$T/stick")"'")'
expect_status 0 hrvm discover "$T/stick" --json
assert_json "$T/out" '.disks[0] | .findings == [] and .volumes[0].filesystem == "exfat"'
