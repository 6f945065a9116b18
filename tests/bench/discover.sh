#!/bin/bash
# discover.sh: how long discover takes to say what is on a disk. Needs hyperfine, jq, python3, root and what the tests need.
#
#   1. hrvm discover --quick of each of the images that the tests make, warm. Goal: under 10 ms each.
#   2. Thirty of them in one call. Goal: under 150 ms, and no process over 64 MiB.
#   3. The full discover of each, for comparison.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp), RUNS how often
# each is run (else 50). Exits 1 when a goal is missed.
. "$(dirname "$0")/lib.sh"

median() { # COMMAND: milliseconds
  hyperfine -N -i --warmup 5 --runs "${RUNS:-50}" --export-json "$WORK/times.json" "$1" > /dev/null 2>&1
  jq -r '.results[0].median * 1000 | . * 100 | round / 100' "$WORK/times.json"
}

support=tests/support
"$support/make-demo-disk.sh" "$WORK/debian.img" > /dev/null
"$support/make-lvm-disk.sh" "$WORK/proxmox-lvm.img" > /dev/null
"$support/make-windows-disk.sh" "$WORK/windows-11.img" > /dev/null
"$support/make-windows-disk.sh" --windows 7 --bios "$WORK/windows-7.img" > /dev/null
rm -f "$WORK"/*.img.*

for image in "$WORK"/*.img; do
  name=$(basename "$image" .img)
  quick=$(median "$HRVM discover --quick $image")
  verdict "$name: --quick takes $quick ms (goal: 10), all of it $(median "$HRVM discover $image") ms" "$quick < 10"
done

images=("$WORK"/*.img)
all=()
for ((i = 0; i < 30; i++)); do
  image=${images[i % ${#images[@]}]}
  cp --sparse=always --reflink=auto "$image" "$WORK/$i.raw"
  all+=("$WORK/$i.raw")
done
time=$(median "$HRVM discover --quick ${all[*]}")
verdict "thirty images in one call take $time ms (goal: 150)" "$time < 150"
memory=$(python3 - "$HRVM" "${all[@]}" << 'PYTHON'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "discover", "--quick", *sys.argv[2:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PYTHON
)
verdict "its largest process has $memory MiB (goal: 64)" "$memory < 64"
exit $missed
