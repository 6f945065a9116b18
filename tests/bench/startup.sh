#!/bin/bash
# startup.sh: what hrvm costs before it does anything. Needs hyperfine and jq.
#
#   1. hrvm --version against true, in the same run. Goal: within 2 times.
#   2. hrvm list of 100 machines. Goal: under 20 ms.
#   3. hrvm boot until it becomes QEMU, which is a program here that ends at once. What is proven once for each start of the
#      host, or for each QEMU, is proven before. Goal: under 20 ms.
#   4. The stripped binary. Goal: under 6 MB, and no shared library but libc's.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp). Exits 1 when
# a goal is missed.
. "$(dirname "$0")/lib.sh"

medians() { # COMMAND...: milliseconds, one a line
  hyperfine -N --warmup 50 --runs 500 --export-json "$WORK/times.json" "$@" > /dev/null 2>&1
  jq -r '.results[].median * 1000' "$WORK/times.json"
}

strip -o "$WORK/hrvm" "$HRVM"
mapfile -t times < <(medians "$WORK/hrvm --version" true)
ratio=$(awk -v a="${times[0]}" -v b="${times[1]}" 'BEGIN { printf "%.2f", a / b }')
verdict "hrvm --version takes ${times[0]} ms, true ${times[1]} ms: $ratio times (goal: 2)" "$ratio <= 2"

truncate -s 16M "$WORK/disk.img"
export HRVM_STORE=$WORK/store
for i in {1..100}; do
  "$WORK/hrvm" import --quiet --allow-volatile --allow-low-space "$WORK/disk.img" "machine-$i" > /dev/null
done
time=$(medians "$WORK/hrvm list")
verdict "hrvm list of 100 machines takes $time ms (goal: 20)" "$time < 20"

mkdir "$WORK/bin"
cp "$(type -P true)" "$WORK/bin/qemu-system-x86_64"
time=$(PATH=$WORK/bin:$PATH medians "$WORK/hrvm boot machine-1 --quiet --console vnc")
verdict "hrvm boot takes $time ms until it becomes QEMU (goal: 20)" "$time < 20"

size=$(stat -c %s "$WORK/hrvm")
verdict "the stripped binary has $size bytes (goal: 6000000)" "$size < 6000000"
others=$(objdump -p "$WORK/hrvm" | awk '/NEEDED/ && $2 !~ /^(libc|libm|ld-linux-x86-64)\.so/ { print $2 }' | xargs)
verdict "shared libraries beside libc's: ${others:-none}" "\"$others\" == \"\""
exit $missed
