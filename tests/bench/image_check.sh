#!/bin/bash
# image_check.sh: hrvm image check against qemu-img check, on the same images and in the same run. Needs qemu-utils,
# hyperfine, jq and time.
#
#   1. An overlay with 17,000 scattered clusters of 64 KiB. Goal: half of the time.
#   2. An image of 2 TiB with a million allocated clusters. Goal: half of the time and half of the memory.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp). Exits 1 when
# a goal is missed.
. "$(dirname "$0")/lib.sh"
RUNS=${RUNS:-30}

# The memory of the largest process that the command is made of, in KiB.
memory() {
  /usr/bin/time -f %M -o "$WORK/memory" "$@" > /dev/null
  tail -n 1 "$WORK/memory"
}

compare() { # TEXT IMAGE: time
  [ "$("$HRVM" image check --json "$2" | jq -c '[.corruptions, .leaks, .allocated_clusters, .image_end_bytes]')" = \
    "$(qemu-img check -f qcow2 --output=json "$2" |
      jq -c '[.corruptions // 0, .leaks // 0, ."allocated-clusters" // 0, ."image-end-offset"]')" ] || {
    echo 'hrvm and qemu-img disagree'
    exit 1
  }
  hyperfine -N --warmup 3 --runs "$RUNS" --style none --export-json "$WORK/times.json" \
    "$HRVM image check --quiet $2" "qemu-img check -f qcow2 $2" > /dev/null
  printf '%s, median of %d\n' "$1" "$RUNS"
  jq -r '.results | ["hrvm image check", "qemu-img check"] as $names
         | to_entries[] | "  \($names[.key]): \(.value.median * 1000 * 10 | round / 10) ms"' "$WORK/times.json"
  judge 'time, hrvm / qemu-img' "$(jq '.results[0].median / .results[1].median' "$WORK/times.json")" 0.5
}

scattered() {
  truncate -s 256G "$WORK/base"
  qemu-img create -q -f qcow2 -b "$WORK/base" -F raw "$WORK/overlay"
  awk 'BEGIN { srand(1); while (n < 17000) { at = int(rand() * 4194304); if (!(at in seen)) { seen[at]; n++
                 printf "write -q -P 1 %dk 64k\n", at * 64 } } print "quit" }' |
    qemu-io -t unsafe -f qcow2 "$WORK/overlay" > /dev/null
  compare 'an overlay with 17,000 scattered clusters' "$WORK/overlay"
}

large() {
  local image=$WORK/large end ours theirs
  qemu-img create -q -f qcow2 "$image" 0
  for ((end = 0; end < 2048; end += 512)); do
    qemu-img resize -q --preallocation=metadata -f qcow2 "$image" $((end + 16))G
    qemu-img resize -q -f qcow2 "$image" $((end + 512))G
  done
  printf '\n'
  compare 'an image of 2 TiB with a million allocated clusters' "$image"
  ours=$(memory "$HRVM" image check --quiet "$image")
  theirs=$(memory qemu-img check -f qcow2 "$image")
  printf '  memory: hrvm %d KiB, qemu-img %d KiB\n' "$ours" "$theirs"
  judge 'memory, hrvm / qemu-img' "$(awk -v a="$ours" -v b="$theirs" 'BEGIN { print a / b }')" 0.5
}

scattered
large
exit $missed
