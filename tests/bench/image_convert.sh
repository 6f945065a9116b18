#!/bin/bash
# image_convert.sh: the image commands against qemu-img's, side by side in one run, medians. Needs qemu-utils and jq; root
# and xfsprogs, btrfs-progs for the loop-mounted filesystems.
#
#   convert  a chain of 4 GiB with 2 GiB of data, to qcow2 and to raw. Goals: 0.6 of `qemu-img convert -W -m 16`, 1.3 of
#            `cp --sparse=always` of the same bytes; with reflink a twentieth of qemu-img.
#   compare  the chain with what it became. Goal: 0.5 of qemu-img compare.
#   merge    a layer of 1 GiB. Goal: 0.6 of qemu-img commit.
#   info     Goal: 0.5 of qemu-img info.   map   of an overlay with 17,000 scattered clusters. Goal: 0.5 of qemu-img map.
#
# hrvm's images are on the medium when it ends; those of qemu-img convert and cp are not, unless they are synced. Both are
# told, and those that sync are judged.
#
# HRVM names the binary (else build/release/hrvm), BENCH_DIR a folder on the disk to measure (else /var/tmp), ROUNDS how
# often, FILESYSTEMS which ("here xfs btrfs"). Exits 1 when a goal is missed.
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5}
finish() {
  for mounted in "$WORK"/*/; do mountpoint -q "$mounted" && umount "$mounted"; done
  rm -rf "$WORK"
}

medians() { # OURS THEIRS: the medians of two files of times
  printf '%8.3f s / %8.3f s' "$(median "$1")" "$(median "$2")"
}
judge_times() { # TEXT OURS THEIRS GOAL
  judge "$(printf '  %-40s %s' "$1" "$(medians "$2" "$3")")" "$(ratio "$(median "$2")" "$(median "$3")")" "$4"
}
tell() { # TEXT OURS THEIRS
  printf '  %-40s %s %6.3f\n' "$1" "$(medians "$2" "$3")" "$(ratio "$(median "$2")" "$(median "$3")")"
}
record() { seconds "${@:2}" >> "$TIMES/$1"; } # NAME COMMAND...

synced() { "${@:2}" && sync "$1"; } # FILE COMMAND...
writes() { # FIRST-MiB COUNT STEP-MiB: qemu-io commands, 1 MiB each
  awk -v f="$1" -v n="$2" -v s="$3" 'BEGIN { for (i = 0; i < n; i++) printf "write -q -P %d %dM 1M\n", i % 255 + 1, f + i * s
                                             print "quit" }'
}

make_chain() { # FOLDER: 1.5 GiB on a raw base, half a GiB above it
  qemu-img create -q -f raw "$1/base.raw" 4G
  writes 0 1536 2 | qemu-io -f raw "$1/base.raw" > /dev/null
  qemu-img create -q -f qcow2 -b base.raw -F raw "$1/top.qcow2"
  writes 1 512 4 | qemu-io -f qcow2 "$1/top.qcow2" > /dev/null
  sync -f "$1"
}

convert() { # FOLDER REFLINK?
  local d=$1 format goal=0.6
  [ "$2" = no ] || goal=0.05
  qemu-img convert -O raw "$d/top.qcow2" "$d/same.raw"
  for format in qcow2 raw; do
    for ((round = 0; round < ROUNDS; round++)); do
      rm -f "$d"/{ours,theirs,copy}; sync -f "$d"
      record "hrvm-$format" "$HRVM" image convert --format "$format" "$d/top.qcow2" "$d/ours"
      record "qemu-$format" qemu-img convert -W -m 16 -O "$format" "$d/top.qcow2" "$d/theirs"
      rm -f "$d/theirs"; sync -f "$d"
      record "qemu-synced-$format" synced "$d/theirs" qemu-img convert -W -m 16 -O "$format" "$d/top.qcow2" "$d/theirs"
      record "cp-$format" cp --sparse=always --reflink=never "$d/same.raw" "$d/copy"
      rm -f "$d/copy"; sync -f "$d"
      record "cp-synced-$format" synced "$d/copy" cp --sparse=always --reflink=never "$d/same.raw" "$d/copy"
    done
    judge_times "convert to $format / qemu-img, synced" "$TIMES/hrvm-$format" "$TIMES/qemu-synced-$format" "$goal"
    tell "convert to $format / qemu-img" "$TIMES/hrvm-$format" "$TIMES/qemu-$format"
    judge_times "convert to $format / cp, synced" "$TIMES/hrvm-$format" "$TIMES/cp-synced-$format" 1.3
    tell "convert to $format / cp" "$TIMES/hrvm-$format" "$TIMES/cp-$format"
  done
}

compare() { # FOLDER
  qemu-img convert -O raw "$1/top.qcow2" "$1/same.raw" && sync -f "$1"
  for ((round = 0; round < ROUNDS; round++)); do
    record hrvm-compare "$HRVM" image compare "$1/top.qcow2" "$1/same.raw"
    record qemu-compare qemu-img compare "$1/top.qcow2" "$1/same.raw"
  done
  judge_times 'compare / qemu-img' "$TIMES/hrvm-compare" "$TIMES/qemu-compare" 0.5
}

# hrvm merges a snapshot's layer into the one on it, qemu-img the one on it into the layer: 1 GiB each.
merge() { # FOLDER REFLINK?
  local d=$1 layer goal=0.6
  [ "$2" = no ] || goal=0.05
  export HRVM_STORE=$d/store
  for ((round = 0; round < ROUNDS; round++)); do
    rm -rf "$HRVM_STORE" "$d"/{lower,upper}.qcow2
    "$HRVM" import --classic --allow-low-space --allow-volatile -q "$d/base.raw" bench > /dev/null 2>&1
    layer=$HRVM_STORE/bench/layers/$(jq -r .active.layer "$HRVM_STORE/bench/current").qcow2
    writes 0 1024 2 | qemu-io -f qcow2 "$layer" > /dev/null
    "$HRVM" snapshot create -q bench@one > /dev/null
    qemu-img create -q -f qcow2 -b base.raw -F raw "$d/lower.qcow2"
    qemu-img create -q -f qcow2 -b lower.qcow2 -F qcow2 "$d/upper.qcow2"
    writes 0 1024 2 | qemu-io -f qcow2 "$d/upper.qcow2" > /dev/null
    sync -f "$d"
    record hrvm-merge "$HRVM" snapshot delete -q --discard --yes bench@one
    record qemu-merge synced "$d/lower.qcow2" qemu-img commit -q "$d/upper.qcow2"
  done
  judge_times 'merge / qemu-img commit, synced' "$TIMES/hrvm-merge" "$TIMES/qemu-merge" "$goal"
}

tables() { # FOLDER
  local d=$1
  qemu-img create -q -f raw "$d/scattered.raw" 64G
  qemu-img create -q -f qcow2 -b scattered.raw -F raw "$d/scattered.qcow2"
  awk 'BEGIN { srand(1); for (i = 0; i < 17000; i++) printf "write -q -P 1 %dk 64k\n", int(rand() * 1048576) * 64; print "quit" }' |
    qemu-io -t unsafe -f qcow2 "$d/scattered.qcow2" > /dev/null
  for ((round = 0; round < ROUNDS * 4; round++)); do
    record hrvm-info "$HRVM" image info "$d/scattered.qcow2"
    record qemu-info qemu-img info "$d/scattered.qcow2"
    record hrvm-map "$HRVM" image map --json "$d/scattered.qcow2"
    record qemu-map qemu-img map --output=json "$d/scattered.qcow2"
  done
  judge_times 'info / qemu-img' "$TIMES/hrvm-info" "$TIMES/qemu-info" 0.5
  judge_times 'map of 17,000 clusters / qemu-img' "$TIMES/hrvm-map" "$TIMES/qemu-map" 0.5
}

for filesystem in ${FILESYSTEMS:-here xfs btrfs}; do
  folder=$WORK/$filesystem TIMES=$WORK/times-$filesystem reflink=no
  mkdir "$folder" "$TIMES"
  if [ "$filesystem" = here ]; then
    printf '%s, %d rounds\n' "$(stat -f -c %T "$folder")" "$ROUNDS"
  else
    truncate -s 24G "$WORK/$filesystem.img"
    "mkfs.$filesystem" -q "$WORK/$filesystem.img" && mount -o loop "$WORK/$filesystem.img" "$folder"
    printf '%s on a loop device, %d rounds\n' "$filesystem" "$ROUNDS"
    reflink=yes
  fi
  make_chain "$folder"
  for part in ${PARTS:-convert compare merge tables}; do "$part" "$folder" "$reflink"; done
  [ "$filesystem" = here ] || { umount "$folder"; rm "$WORK/$filesystem.img"; }
  rm -rf "$folder"
done
exit $missed
