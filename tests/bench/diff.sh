#!/bin/bash
# diff.sh: how long hrvm takes to tell what changed between two states of an ext4 of 20 GiB with 200000 files, of which 500
# were changed, against mounting both and `rsync -n -a --delete` between them. Needs root, rsync, python3 and qemu-io.
#
# Both states are in the page cache, dentries and inodes are dropped before each run; medians of RUNS (else 5), `true`
# beside them. Both must name the same files. Goals: under 1 s, a tenth of the peer's time, 128 MiB.
#
# HRVM names the program (else build/release/hrvm), BENCH_DIR a folder with some GiB of room (else /var/tmp). Exits 1 when
# a goal is missed.
. "$(dirname "$0")/lib.sh"
with_own_mounts diff.sh "$@"
changes=$(dirname "$0")/../support/random-changes.py
old=$WORK/old.img new=$WORK/new.img
export HRVM_STORE=$WORK/store
other=$WORK/other
mkdir "$other"

truncate -s 20G "$old"
mkfs.ext4 -q "$old"
mount -o loop "$old" "$mounted"
python3 - "$mounted" << 'PYTHON'
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
umount "$mounted"
cp --sparse=always "$old" "$new"
mount -o loop "$new" "$mounted"
python3 "$changes" change "$mounted" 500 1
umount "$mounted"

# What is new goes into the layer of a machine.
"$HRVM" import "$old" web > "$WORK/import.log" 2>&1
layer=$(echo "$HRVM_STORE"/web/layers/*.qcow2)
python3 - "$old" "$new" "$WORK/page" << 'PYTHON' > "$WORK/commands"
import os, sys
def data(file):
    at, end = 0, os.fstat(file.fileno()).st_size
    while at < end:
        try: at = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError: return
        hole = os.lseek(file.fileno(), at, os.SEEK_HOLE)
        while at < hole:
            yield at // 4096 * 4096
            at = at // 4096 * 4096 + 4096
with open(sys.argv[1], "rb") as old, open(sys.argv[2], "rb") as new:
    for at in sorted({*data(old), *data(new)}):
        a, b = os.pread(old.fileno(), 4096, at), os.pread(new.fileno(), 4096, at)
        if a != b:
            with open(f"{sys.argv[3]}-{at}", "wb") as page: page.write(b)
            print(f"write -q -s {sys.argv[3]}-{at} {at} {len(b)}")
PYTHON
qemu-io -f qcow2 "$layer" < "$WORK/commands" > "$WORK/qemu-io.log"

drop_dentries() { sync; echo 2 > /proc/sys/vm/drop_caches; }
times() { # COMMAND...: the median
  local i
  "$@" > /dev/null
  for ((i = 0; i < ${RUNS:-5}; ++i)); do drop_dentries; seconds "$@"; done | median
}
by_rsync() {
  mount -o loop,ro "$old" "$mounted"
  mount -o loop,ro "$new" "$other"
  rsync -n -a --delete --itemize-changes "$other/" "$mounted/" > "$WORK/rsync"
  umount "$mounted" "$other"
}
own() { "$HRVM" diff web --noise --plain > "$WORK/own"; }
images() { "$HRVM" diff "$old" "$new" --noise --plain > "$WORK/images"; }

peak() {
  python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)' "$HRVM" diff web
}

rsync_time=$(times by_rsync) own_time=$(times own) images_time=$(times images)
true_time=$(times true)
printf 'lines: %d (images: %d, rsync: %d)\n' "$(wc -l < "$WORK/own")" "$(wc -l < "$WORK/images")" "$(wc -l < "$WORK/rsync")"
printf 'mount, rsync -n, umount: %s s; diff of layers: %s s; diff of images: %s s; true: %s s\n' \
  "$rsync_time" "$own_time" "$images_time" "$true_time"
peak=$(peak)
verdict "layers and images tell the same" "$(cmp -s "$WORK/own" "$WORK/images" && echo 1 || echo 0)"
verdict "under 1 s: $own_time s" "$own_time < 1"
verdict "$peak MiB, of 128" "$peak < 128"
judge 'diff of layers against mount and rsync -n' "$(ratio "$own_time" "$rsync_time")" 0.1
exit "$missed"
