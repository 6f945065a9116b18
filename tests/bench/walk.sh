#!/bin/bash
# walk.sh [TYPE...]: how long hrvm's readers take for all files of a filesystem, against the kernel. Needs root, python3
# and a kernel that mounts TYPE (ext4, xfs, btrfs: all of them where none is named) from a loop device.
#
#   1. 200000 files in 4000 folders on 20 GiB, visited and stated by walk_tree; and mounted, found with inode, size, time
#      and mode, unmounted. The image lies in the page cache, dentries and inodes are dropped before each run; medians of
#      RUNS (else 5). Both must tell the same. Goals: a quarter of the kernel's time, and 64 MiB.
#   2. One folder of NAMES (else 1000000) names: visited within 32 MiB; a name is found in it by reading less than 1 MiB.
#
# WALK_TREE names the program (else build/release/walk_tree: cmake --build --preset release --target walk_tree), BENCH_DIR
# a folder with some GiB of room (else /var/tmp). Exits 1 when a goal is missed.
HRVM=${WALK_TREE:-build/release/walk_tree} # what is measured here
. "$(dirname "$0")/lib.sh"
WALK_TREE=$HRVM
[ -x "$WALK_TREE" ] || { echo "there is no $WALK_TREE" >&2; exit 2; }
with_own_mounts walk.sh "$@"
image=$WORK/image

make() { # TYPE: an empty image
  rm -f "$image"
  truncate -s 20G "$image"
  "mkfs.$1" -q "$image"
}

fill() { # TREE: by python3 on standard input
  mount -o loop "$image" "$mounted"
  python3 - "$mounted" "$@"
  umount "$mounted"
}

files_in_folders() {
  fill << 'PYTHON'
import os, sys
count = 0
for top in range(20):
    for folder in range(199):
        path = f"{sys.argv[1]}/top-{top}/folder-{folder}"
        os.makedirs(path)
        for i in range(50):
            with open(f"{path}/lib-{i}.so.{count}", "wb") as file: file.write(b"x" * (i % 5 * 1000))
            count += 1
PYTHON
}

names_in_a_folder() { # COUNT
  fill "$1" << 'PYTHON'
import os, sys
os.mkdir(sys.argv[1] + "/many")
for i in range(int(sys.argv[2])): os.mknod(f"{sys.argv[1]}/many/a-name-of-some-length-{i}")
PYTHON
}

by_kernel() {
  mount -o loop,ro "$image" "$mounted"
  find "$mounted" -printf '%i %s %T@ %m\n' > "$WORK/found"
  umount "$mounted"
}

sum_of_found() {
  awk '{ mode = 0; for (i = 1; i <= length($4); ++i) mode = mode * 8 + substr($4, i, 1)
         sum += ($1 * 31 + $2 * 17 + int($3) * 13 + mode) % 4294967296 } END { printf "%d %.0f\n", NR, sum }' "$WORK/found"
}

drop_dentries() { sync; echo 2 > /proc/sys/vm/drop_caches; }

times() { # COMMAND...: the median
  local i
  "$@" > /dev/null
  for ((i = 0; i < ${RUNS:-5}; ++i)); do drop_dentries; seconds "$@"; done | median
}

peak_of() { # COMMAND...: its memory at most, MiB; what it prints is in $WORK/said
  python3 -c 'import resource, subprocess, sys
with open(sys.argv[1], "w") as said: subprocess.run(sys.argv[2:], check=True, stdout=said)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)' "$WORK/said" "$@"
}

walk() { # TYPE
  local kernel own peak
  make "$1"
  files_in_folders
  kernel=$(times by_kernel)
  own=$(times "$WALK_TREE" "$1" "$image")
  peak=$(peak_of "$WALK_TREE" "$1" "$image")
  [ "$(cat "$WORK/said")" = "$(sum_of_found)" ] || { echo "MISSED  $1: $(cat "$WORK/said") is not $(sum_of_found)"; missed=1; }
  echo "$1: the kernel $kernel s, walk_tree $own s"
  judge "$1: visit and stat, by the kernel's time" "$(ratio "$own" "$kernel")" 0.25
  verdict "$1: walked in $peak MiB (goal: 64)" "$peak <= 64"
}

stream() { # TYPE
  local names=${NAMES:-1000000} peak entries bytes more
  make "$1"
  names_in_a_folder "$names"
  peak=$(peak_of "$WALK_TREE" "$1" "$image" /many "a-name-of-some-length-$((names / 2))")
  read -r entries bytes more < "$WORK/said"
  verdict "$1: $entries of $names names visited in $peak MiB (goal: 32)" "$entries == $names && $peak <= 32"
  verdict "$1: one found by reading $((bytes / 1024)) KiB (goal: 1024)${more:+ $more}" "$bytes <= 1048576 && \"$more\" == \"\""
}

[ $# -gt 0 ] || set -- ext4 xfs btrfs
for type; do
  walk "$type"
  stream "$type"
done
exit $missed
