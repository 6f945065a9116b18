#!/bin/bash
# import_boot.sh: how long a person waits for an import, and for QEMU to be started. Needs hyperfine, jq and qemu-utils.
#
#   1. hrvm import of a 238 GiB sparse image, durable, against qemu-img create -b, which waits for no disk, in the same run.
#      Goal: below 1 time.
#   2. hrvm boot until it becomes QEMU, which is a program here that ends at once. What is proven once for each start of the
#      host, or for each QEMU, is proven before. Goal: under 20 ms.
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

medians() { # HYPERFINE'S ARGUMENTS...: milliseconds, one a line
  hyperfine -N --warmup 3 --export-json "$WORK/times.json" "$@" > /dev/null 2>&1
  jq -r '.results[].median * 1000' "$WORK/times.json"
}

disk=$WORK/disk.img
truncate -s 238G "$disk"
printf '\x55\xaa' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
import="$HRVM --store $WORK/store import --quiet --allow-volatile --allow-low-space $disk disk"
mapfile -t times < <(medians --runs 100 --prepare "rm -rf $WORK/store $WORK/qemu-img.qcow2" "$import" \
  "qemu-img create -q -f qcow2 -b $disk -F raw $WORK/qemu-img.qcow2")
ratio=$(awk -v a="${times[0]}" -v b="${times[1]}" 'BEGIN { printf "%.2f", a / b }')
verdict "hrvm import takes ${times[0]} ms, qemu-img create ${times[1]} ms: $ratio times (goal: below 1)" "$ratio < 1"

mkdir "$WORK/bin"
cp "$(type -P true)" "$WORK/bin/qemu-system-x86_64"
rm -rf "$WORK/store"
$import > /dev/null
time=$(PATH=$WORK/bin:$PATH medians --runs 100 "$HRVM --store $WORK/store boot disk --quiet --console vnc")
verdict "hrvm boot takes $time ms until it becomes QEMU (goal: under 20)" "$time < 20"
exit $missed
