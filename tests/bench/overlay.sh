#!/bin/bash
# overlay.sh: hrvm's overlays against qemu-img's, on the same base and in the same run. Needs qemu-utils, hyperfine and jq.
#
#   1. 20,000 random writes of 4 KiB on a 4 GiB base: disk space and time of both overlays.
#      Goal: a tenth of the space, 0.8 of the time.
#   2. Making the overlay of a sparse image of 238 GiB, fsync included: hrvm import against qemu-img create.
#      Goal: a ratio below 1.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp). Exits 1 when
# a goal is missed.
. "$(dirname "$0")/lib.sh"
WRITES=20000 ROUNDS=${ROUNDS:-3}

import() { # BASE: prints the path of the overlay that was made for it
  rm -rf "$WORK/store"
  "$HRVM" import --store "$WORK/store" --allow-volatile --allow-low-space --json "$1" bench 2> /dev/null |
    jq -r '.machines[0].disks[0].path // .disks[0].path'
}

# The same places in every run. One qemu-io opens the image, writes them all and flushes.
write_randomly() { # OVERLAY
  awk -v n="$WRITES" 'BEGIN { srand(1); for (i = 0; i < n; i++) printf "write -q -P %d %dk 4k\n", i % 255 + 1, int(rand() * 1048576) * 4
                              print "flush"; print "quit" }' |
    qemu-io -t writeback -f qcow2 "$1"
}

allocated() { echo $(($(stat -c %b "$1") * 512)); }

random_writes() {
  local base=$WORK/base.img ours=() theirs=() round overlay space_ours space_theirs
  truncate -s 4G "$base"
  for ((round = 0; round < ROUNDS; round++)); do
    rm -f "$WORK/theirs.qcow2"
    qemu-img create -q -f qcow2 -b "$base" -F raw "$WORK/theirs.qcow2"
    theirs+=("$(seconds write_randomly "$WORK/theirs.qcow2")")
    space_theirs=$(allocated "$WORK/theirs.qcow2")
    overlay=$(import "$base")
    ours+=("$(seconds write_randomly "$overlay")")
    space_ours=$(allocated "$overlay")
  done
  printf '%d random 4 KiB writes, %d rounds\n' "$WRITES" "$ROUNDS"
  printf '  qemu-img: %4d MiB, %s s (median)\n' $((space_theirs >> 20)) "$(printf '%s\n' "${theirs[@]}" | median)"
  printf '  hrvm:     %4d MiB, %s s (median)\n' $((space_ours >> 20)) "$(printf '%s\n' "${ours[@]}" | median)"
  judge 'disk space, hrvm / qemu-img' "$(ratio "$space_ours" "$space_theirs")" 0.1
  judge 'time, hrvm / qemu-img' \
    "$(ratio "$(printf '%s\n' "${ours[@]}" | median)" "$(printf '%s\n' "${theirs[@]}" | median)")" 0.8
}

# qemu-img create does not fsync: it is timed with and without, and judged without.
making() {
  local base=$WORK/disk.img
  truncate -s 238G "$base"
  hyperfine -N --warmup 3 --min-runs 30 --style none --export-json "$WORK/times.json" \
    --prepare "rm -rf $WORK/store" \
    "$HRVM import --store $WORK/store --allow-volatile --allow-low-space --quiet $base bench" \
    --prepare "rm -f $WORK/theirs.qcow2" \
    "sh -c 'qemu-img create -q -f qcow2 -b $base -F raw $WORK/theirs.qcow2 && sync $WORK/theirs.qcow2'" \
    --prepare "rm -f $WORK/theirs.qcow2" \
    "qemu-img create -q -f qcow2 -b $base -F raw $WORK/theirs.qcow2" > /dev/null
  printf '\nmaking the overlay of 238 GiB, median\n'
  jq -r '.results | ["hrvm import", "qemu-img create, sync", "qemu-img create"] as $names
         | to_entries[] | "  \($names[.key]): \(.value.median * 1000 * 10 | round / 10) ms"' "$WORK/times.json"
  judge 'time, hrvm / qemu-img create' "$(jq '.results[0].median / .results[2].median' "$WORK/times.json")" 1
}

random_writes
making
exit $missed
