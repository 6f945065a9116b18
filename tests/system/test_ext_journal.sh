#!/bin/bash
# Crashed ext3 and ext4: copies of an image that the kernel is writing to, taken between two of its writes. hrvm, which
# replays the journal in memory, shows of each what a mount and what e2fsck make of it.
#
# COUNT=N crash images in all (default 4, each of another kind; from 16 on of all kinds).
. "$(dirname "$0")/lib.sh"
need_root
in_private_host

pool=$T/pool mounted=$T/mounted
mkdir "$pool" "$mounted"
# In memory, where a flush costs nothing; cp --reflink waits for the write that is under way, and is one moment of them
# all.
mkdir "$T/memory"
mount -t tmpfs -o size=3G tmpfs "$T/memory"
at_end 'umount -q "$mounted"; umount "$pool"; umount "$T/memory"'
truncate -s 6G "$T/memory/pool"
mkfs.xfs -q -m reflink=1 "$T/memory/pool"
mount -o loop "$T/memory/pool" "$pool"

# NAME | mkfs options | mount options
kinds=(
  'ext4|-t ext4 -b 4096|'
  'ext4, blocks of 1 KiB|-t ext4 -b 1024 -J size=4|'
  'ext4 without checksums and 64 bits|-t ext4 -b 4096 -O ^metadata_csum,^64bit|'
  'ext4, 64 bits without checksums|-t ext4 -b 4096 -O ^metadata_csum,64bit|'
  'ext4, checksums without 64 bits|-t ext4 -b 1024 -O metadata_csum,^64bit|'
  'ext4 with its data in the journal|-t ext4 -b 4096 -J size=8|data=journal'
  'ext4 with its data in the journal, without checksums|-t ext4 -b 1024 -O ^metadata_csum|data=journal'
  'a small journal, wrapped|-t ext4 -b 1024 -J size=1|'
  'a small journal with data|-t ext4 -b 4096 -J size=4|data=journal'
  'ext3|-t ext3 -b 4096|'
  'ext3, blocks of 1 KiB|-t ext3 -b 1024|data=journal'
  'asynchronous commits|-t ext4 -b 4096|data=writeback,journal_async_commit'
  'asynchronous commits of version 1|-t ext4 -b 4096 -O ^metadata_csum|data=writeback,journal_async_commit'
  'checksums of transactions|-t ext4 -b 1024 -O ^metadata_csum|journal_checksum'
  'groups of descriptors|-t ext4 -b 1024 -O meta_bg,^resize_inode|'
  'data in inodes, orphans in a file|-t ext4 -b 4096 -O inline_data,orphan_file|'
)
COUNT=${COUNT:-4}
each=$(((COUNT + ${#kinds[@]} - 1) / ${#kinds[@]}))
step=$((COUNT < ${#kinds[@]} ? ${#kinds[@]} / COUNT : 1))

# crash KIND: $pool/crash-N for N in 1..$each.
crash() {
  local name options mount_options writer writers=() number
  IFS='|' read -r name options mount_options <<< "$1"
  rm -f "$pool"/*
  truncate -s 256M "$pool/image"
  # shellcheck disable=SC2086
  mke2fs -F -q $options "$pool/image" > "$T/mkfs" 2>&1 || fail "mke2fs $options: $(cat "$T/mkfs")"
  mount -o "loop,${mount_options:-defaults}" "$pool/image" "$mounted" || fail "cannot mount: $1"
  for writer in 1 2 3; do
    python3 "$SUPPORT/churn-files.py" "$mounted" $((RANDOM * 8 + writer)) 2> "$T/churn-$writer" &
    writers+=($!)
  done
  await 20 "nobody writes" has_files 100
  for ((number = 1; number <= each; number++)); do
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    cp --reflink=always "$pool/image" "$pool/crash-$number"
  done
  kill -0 "${writers[@]}" || fail "a writer ended: $(cat "$T"/churn-*)"
  kill "${writers[@]}"
  wait "${writers[@]}" || true
  umount "$mounted"
}

has_files() { [ "$(find "$mounted" -xdev -type f 2> /dev/null | wc -l)" -ge "$1" ]; }

compare() { # IMAGE WHAT [JOURNAL]
  HRVM_TEST_IMAGE=$1 HRVM_TEST_TREE=$mounted HRVM_TEST_MOUNTED=$since HRVM_TEST_JOURNAL=${3:-replayed} \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.crash]' > "$T/out" 2>&1 && return
  [ -z "${KEEP_IMAGES:-}" ] || cp "$1" "$KEEP_IMAGES/$(basename "$1")-$RANDOM"
  fail "of $name, number $number, hrvm shows something else than $2:
$(cat "$T/out")"
}

check_crash() { # IMAGE
  local image=$1 status=0
  since=$(date +%s)
  cp --reflink=always "$image" "$pool/mounted"
  mount -o loop,noatime "$pool/mounted" "$mounted"
  compare "$image" "the kernel's mount"
  umount "$mounted"
  cp --reflink=always "$image" "$pool/checked"
  e2fsck -fy "$pool/checked" > "$T/e2fsck" 2>&1 || status=$?
  [ "$status" -le 1 ] || fail "e2fsck ends with $status: $(cat "$T/e2fsck")"
  mount -o loop,noatime "$pool/checked" "$mounted"
  compare "$image" "what e2fsck leaves"
  umount "$mounted"
}

total=0
for ((which = 0; which < ${#kinds[@]}; which += step)); do
  kind=${kinds[which]}
  name=${kind%%|*}
  claim "$name"
  crash "$kind"
  for ((number = 1; number <= each; number++)); do
    check_crash "$pool/crash-$number"
    total=$((total + 1))
  done
done
claim "$total crash images are shown as a mount and as e2fsck make them"
