#!/bin/bash
# boot.sh: how long a person waits until hrvm boot has become QEMU, which is a program here that ends at once. What is proven
# once for each start of the host, or for each QEMU, is proven before. Needs hyperfine and jq. Goal: under 20 ms.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp). Exits 1 when
# a goal is missed.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."

HRVM=$(realpath "${HRVM:-build/release/hrvm}")
WORK=$(mktemp -d "${BENCH_DIR:-/var/tmp}/hrvm-bench-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
missed=0

verdict() { # WHAT CONDITION: prints it, and remembers a goal that was missed
  if awk "BEGIN { exit !($2) }"; then echo "ok      $1"; else echo "MISSED  $1"; missed=1; fi
}

median() { # HYPERFINE'S ARGUMENTS...: milliseconds
  hyperfine -N --warmup 3 --export-json "$WORK/times.json" "$@" > /dev/null 2>&1
  jq -r '.results[].median * 1000' "$WORK/times.json"
}

truncate -s 238G "$WORK/disk.img"
printf '\x55\xaa' | dd of="$WORK/disk.img" bs=1 seek=510 conv=notrunc status=none
"$HRVM" --store "$WORK/store" import --quiet --allow-volatile --allow-low-space "$WORK/disk.img" disk > /dev/null
mkdir "$WORK/bin"
cp "$(type -P true)" "$WORK/bin/qemu-system-x86_64"
time=$(PATH=$WORK/bin:$PATH median --runs 100 "$HRVM --store $WORK/store boot disk --quiet --console vnc")
verdict "hrvm boot takes $time ms until it becomes QEMU (goal: under 20)" "$time < 20"
exit $missed
