#!/bin/bash
# resume.sh: a guest that goes on from its memory against a cold boot of the same machine, to the same prompt on its serial
# line, in the same run. Needs what tests/support/make-demo-disk.sh does, and jq.
#
#   1. hrvm boot MACHINE@SNAP --resume until the shell answers, against hrvm boot MACHINE until it asks for a login; a guest
#      with 512 MiB. Goal: a tenth of the time.
#   2. How long the guest stands still when its memory is saved, and how long that takes, beside dd of as many bytes with
#      fsync. No goal.
#
# ROUNDS of each, whose median counts. HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to
# measure (else /var/tmp). Exits 1 when a goal is missed.
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5}
export HRVM_STORE=$WORK/store
trap '"$HRVM" stop bench --force > /dev/null 2>&1; finish' EXIT

tests/support/make-demo-disk.sh "$WORK/demo.img" > /dev/null 2>&1
"$HRVM" import "$WORK/demo.img" bench --memory 512M --cpus 1 --allow-volatile --allow-low-space > /dev/null

for ((i = 0; i < ROUNDS; i++)); do
  seconds "$HRVM" boot bench --ephemeral --wait-for 'login:' --timeout 300 < /dev/null
done > "$WORK/cold"

"$HRVM" boot bench --detach --wait-for 'login:' --timeout 300 > /dev/null 2>&1 < /dev/null
"$HRVM" console bench --wait-for '# ' <<< root > /dev/null
for ((i = 0; i < ROUNDS; i++)); do
  seconds "$HRVM" snapshot create "bench@s$i" --with-memory --json >> "$WORK/saved"
  "$HRVM" snapshot show "bench@s$i" --json | jq -r '.snapshots[0].memory_bytes' >> "$WORK/bytes"
done
"$HRVM" snapshot create bench@last --with-memory --json | jq -r .frozen_ms > "$WORK/stood"
"$HRVM" stop bench --force > /dev/null

for ((i = 0; i < ROUNDS; i++)); do
  seconds "$HRVM" boot bench@last --resume --wait-for '^answers-42' --timeout 60 <<< 'echo answers-$((6 * 7))'
done > "$WORK/warm"

cold=$(median "$WORK/cold") warm=$(median "$WORK/warm") bytes=$(median "$WORK/bytes")
copied=$(seconds dd if=/dev/zero of="$WORK/copy" bs=1M count=$((bytes >> 20)) conv=fsync)
judge "to an answer: ${warm} s, cold boot ${cold} s" "$(ratio "$warm" "$cold")" 0.1
echo "saved in $(median "$WORK/saved") s, $bytes bytes; dd $copied s; stood still for $(cat "$WORK/stood") ms"
exit $missed
