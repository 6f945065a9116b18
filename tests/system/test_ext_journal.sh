#!/bin/bash
# Crashed ext3 and ext4: copies of an image that the kernel is writing to, taken between two of its writes. hrvm, which
# replays the journal in memory, shows of each what a mount and what e2fsck make of it. Where the kernel refuses the
# mount, as it does with most journals that are damaged here, hrvm says that the journal is ignored.
#
# COUNT=N crash images in all (default 4, each of another kind; from as many as there are kinds on of all of them).
# KINDS=PATTERN only those whose name matches.
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

# NAME | mkfs options | mount options [| fast: the writers do what fast commits can tell of]
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
  'fast commits|-t ext4 -b 4096 -O fast_commit||fast'
  'fast commits in blocks of 1 KiB|-t ext4 -b 1024 -O fast_commit -J fast_commit_size=2048||fast'
  'many fast commits|-t ext4 -b 4096 -O fast_commit,^metadata_csum -J fast_commit_size=8192|commit=300|fast'
)
COUNT=${COUNT:-4}
each=$(((COUNT + ${#kinds[@]} - 1) / ${#kinds[@]}))
step=$((COUNT < ${#kinds[@]} ? ${#kinds[@]} / COUNT : 1))

# crash KIND: $pool/crash-N for N in 1..$each.
crash() {
  local name options mount_options deeds writer writers=() number
  IFS='|' read -r name options mount_options deeds <<< "$1"
  rm -f "$pool"/*
  truncate -s 256M "$pool/image"
  # shellcheck disable=SC2086
  mke2fs -F -q $options "$pool/image" > "$T/mkfs" 2>&1 || fail "mke2fs $options: $(cat "$T/mkfs")"
  mount -o "loop,${mount_options:-defaults}" "$pool/image" "$mounted" || fail "cannot mount: $1"
  for writer in 1 2 3; do
    # shellcheck disable=SC2086
    python3 "$SUPPORT/churn-files.py" "$mounted" $((RANDOM * 8 + writer)) $deeds 2> "$T/churn-$writer" &
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

# What compares them is told in $T/out, with what the reader says of its work.
compare() { # IMAGE JOURNAL [WHAT]: with the tree at $mounted, where WHAT made one
  local tree=()
  [ -z "${3:-}" ] || tree=(HRVM_TEST_TREE="$mounted")
  env HRVM_DEBUG=fs HRVM_TEST_IMAGE="$1" HRVM_TEST_JOURNAL="$2" HRVM_TEST_MOUNTED="$since" "${tree[@]}" \
    "$BUILD_DIR/tests/unit_fs" --warn NoTests '[.crash]' > "$T/out" 2>&1 && return
  [ -z "${KEEP_IMAGES:-}" ] || cp "$1" "$KEEP_IMAGES/$(basename "$1")-$RANDOM"
  fail "of $name, number $number, hrvm shows something else than ${3:-a kernel that refuses it}:
$(cat "$T/out")"
}

compare_with_mount() { # IMAGE: whether the kernel mounts it
  since=$(($(date +%s%N) - 10000000)) # the kernel's clock for files ticks a few ms behind
  cp --reflink=always "$1" "$pool/mounted"
  if mount -o loop,noatime "$pool/mounted" "$mounted" 2> /dev/null; then
    compare "$1" replayed "the kernel's mount"
    umount "$mounted"
  else
    compare "$1" ignored
    return 1
  fi
}

compare_with_e2fsck() { # IMAGE
  local status=0
  cp --reflink=always "$1" "$pool/checked"
  e2fsck -fy "$pool/checked" > "$T/e2fsck" 2>&1 || status=$?
  [ "$status" -le 1 ] || fail "e2fsck ends with $status: $(cat "$T/e2fsck")"
  mount -o loop,noatime "$pool/checked" "$mounted"
  compare "$1" replayed "what e2fsck leaves"
  umount "$mounted"
}

# What e2fsck 1.47 replays of removed names and of folders is not what was meant: it finds files again that were removed,
# and loses folders. A kernel refuses what tells of a file that was synced after its last name was removed.
check_crash() { # IMAGE
  if [[ $kind == *'|fast' ]]; then
    compare_with_mount "$1" || refused=$((refused + 1))
    ! grep -q 'bytes of fast commits' "$T/out" || fast=$((fast + 1))
  else
    compare_with_mount "$1" || fail "of $name, number $number: the kernel refuses a crash image"
    compare_with_e2fsck "$1"
  fi
}

check_damage() { # IMAGE
  local how
  for how in block descriptor commit revoke zeros size super; do
    cp --reflink=always "$1" "$pool/damaged"
    number="${1##*-} ($how: $("$SUPPORT/damage-journal.py" "$pool/damaged" "$how" "$RANDOM"))"
    compare_with_mount "$pool/damaged" || refused=$((refused + 1))
    damaged=$((damaged + 1))
  done
}

total=0 refused=0 fast=0 damaged=0
for ((which = 0; which < ${#kinds[@]}; which += step)); do
  kind=${kinds[which]}
  name=${kind%%|*}
  [[ $name =~ ${KINDS:-} ]] || continue
  claim "$name"
  crash "$kind"
  for ((number = 1; number <= each; number++)); do
    check_crash "$pool/crash-$number"
    total=$((total + 1))
  done
done
[ "$total" = 0 ] ||
  claim "$total crash images are shown as a mount and as e2fsck make them; $fast had fast commits, $refused were refused"

# A checksum is what tells the kernel of most damage; where there is none, both show what it makes of files, and what the
# kernel cannot read of them is passed over.
refused=0
name='damaged journals'
if [[ $name =~ ${KINDS:-} ]]; then
  claim "$name"
  for kind in '|-t ext4 -b 4096|' '|-t ext4 -b 4096 -O fast_commit||fast'; do
    crash "$kind"
    for ((image = 1; image <= each; image++)); do check_damage "$pool/crash-$image"; done
  done
  claim "of $damaged damaged journals the kernel refuses $refused, which are ignored, and shows the others as hrvm does"
fi
