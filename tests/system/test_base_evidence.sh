#!/bin/bash
# What is seen of a base that was written to where no sample is taken: an image by its times, a disk by what the kernel
# counts of it. What only reads leaves no trace.
. "$(dirname "$0")/lib.sh"
need_root

touched() { hrvm verify "$1" --json | jq -c .touched; }
seen() { hrvm verify "$1" --json | jq -c '.looked_at[-1]'; }

claim "an image that was overwritten between two samples is touched, and the hash tells what came of it"
truncate -s 64M "$T/disk.img"
mke2fs -q -F "$T/disk.img"
expect_status 0 hrvm import --hash "$T/disk.img" image
assert_equal "$(touched image)" "[]" "what is told of an image that nobody touched"
dd if=/dev/urandom of="$T/disk.img" bs=4k seek=5130 count=8 conv=notrunc status=none
expect_status 0 hrvm verify image
assert_contains "$OUT" "touched since: $T/disk.img was written at"
assert_contains "$ERR" "hrvm verify --full image"
expect_status 0 hrvm boot image --print --accel tcg
assert_contains "$ERR" "was touched since the layers of image were made"
expect_status 3 hrvm verify image --full
expect_status 3 hrvm verify image --full --record

claim "a disk that is mounted read-only and read is not touched, one that is written to is, by how much was written"
DISK=$(losetup -f --show "$T/disk.img") || skip "there is no loop device to be had"
at_end "losetup -d $DISK 2> /dev/null"
expect_status 0 hrvm import "$DISK" disk
mkdir "$T/mnt"
mount -o ro "$DISK" "$T/mnt"
ls -lR "$T/mnt" > /dev/null
umount "$T/mnt"
assert_equal "$(touched disk)" "[]" "what is told of a disk that was read"
assert_equal "$(seen disk)" '"write counter"' "what was looked at last"
dd if=/dev/urandom of="$DISK" bs=4k seek=7690 count=8 oflag=direct conv=notrunc status=none
assert_equal "$(touched disk)" '["32 KiB were written to it"]' "what is told of a disk that was written to"
expect_status 0 hrvm boot disk --print --accel tcg
assert_contains "$ERR" "hrvm verify --full --record disk"
expect_status 1 hrvm verify disk --full
expect_status 0 hrvm verify disk --full --record
assert_equal "$(touched disk)" "[]" "what is told when the hash is taken"
expect_status 0 hrvm verify disk --full

claim "a disk that was attached anew has another counter, of which nothing is said"
losetup -d "$DISK"
await 5 "$DISK does not go" bash -c "! losetup $DISK > /dev/null 2>&1"
losetup "$DISK" "$T/disk.img"
assert_equal "$(touched disk)" "[]" "what is told of a disk that was attached anew"
assert_equal "$(seen disk)" '"32 samples"' "what was looked at last"
expect_status 0 hrvm verify disk --full
