#!/bin/bash
# journal.sh: how long the replay in memory of a full journal of 128 MiB takes, of an ext4 that debugfs gave one: 32,000
# blocks in a transaction, with checksums and 64 bits. The image lies in the page cache; medians of RUNS (else 5). Goal:
# 0.3 s more than the same filesystem takes without one. Beside it the kernel's mount of a copy, which writes it back.
#
# WALK_TREE names the program (else build/release/walk_tree). Needs root and a kernel that mounts ext4 from a loop device.
HRVM=${WALK_TREE:-build/release/walk_tree} # what is measured here
. "$(dirname "$0")/lib.sh"
WALK_TREE=$HRVM
[ -x "$WALK_TREE" ] || { echo "there is no $WALK_TREE" >&2; exit 2; }
with_own_mounts journal.sh "$@"
clean=$WORK/clean full=$WORK/full

blocks=32000 first=100000
truncate -s 1G "$clean"
mkfs.ext4 -q -b 4096 -J size=128 "$clean"
cp --sparse=always "$clean" "$full"
head -c "$((blocks * 4096))" /dev/urandom > "$WORK/blocks"
printf 'jo -c\njw -b %d-%d %s\njc\n' "$first" "$((first + blocks - 1))" "$WORK/blocks" > "$WORK/requests"
debugfs -w -f "$WORK/requests" "$full" > /dev/null 2>&1
dumpe2fs -h "$full" 2> /dev/null | grep -q needs_recovery || { echo "debugfs wrote no journal" >&2; exit 2; }

times() { # COMMAND...: the median
  local i
  "$@" > /dev/null
  for ((i = 0; i < ${RUNS:-5}; ++i)); do seconds "$@"; done | median
}
mount_copy() {
  mount -o loop "$WORK/copy" "$mounted"
  umount "$mounted"
}
times_of_mount() {
  local i
  for ((i = 0; i < ${RUNS:-5}; ++i)); do
    cp --sparse=always "$full" "$WORK/copy"
    seconds mount_copy
  done | median
}

without=$(times "$WALK_TREE" ext4 "$clean")
with=$(times "$WALK_TREE" ext4 "$full")
more=$(awk -v a="$with" -v b="$without" 'BEGIN { printf "%.4f", a - b }')
echo "without a journal $without s, with it $with s; the kernel's mount and umount $(times_of_mount) s"
verdict "$blocks blocks are replayed in $more s (goal: 0.3)" "$more <= 0.3"
exit $missed
