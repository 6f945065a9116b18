#!/bin/bash
# What discover says of devices of pools that OpenZFS itself has made, held against zdb. OpenZFS's test program makes them
# without a kernel module.
. "$(dirname "$0")/lib.sh"

openzfs=${HRVM_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/hrvm-tests}/openzfs
[ -e "$openzfs/version" ] || skip "no OpenZFS: tests/deps.sh could not fetch it"

with_openzfs() {
  LD_LIBRARY_PATH=$openzfs/lib/x86_64-linux-gnu:$openzfs/usr/lib/x86_64-linux-gnu PATH=$openzfs/sbin:$PATH "$@"
}

# Made and looked through, and not worked on: what it does to a pool in its time is drawn by lot.
make_pool() { # NAME LAYOUT...: NAME.0a, NAME.1a … in $T
  with_openzfs timeout 300 ztest -f "$T" -p "$1" -v 1 -s 128m -T 0 -P 1 -t 1 -k 0 "${@:2}" > "$T/ztest.log" 2>&1 \
    || fail "ztest: $(tail -c 2000 "$T/ztest.log")"
}

label_field() { # FILE FIELD: the first of that name in zdb's words
  with_openzfs zdb -l "$1" | sed -n "s/^ *$2: '\{0,1\}\([^']*\)'\{0,1\}$/\1/p" | head -n 1
}
newest_txg() { with_openzfs zdb -lu "$1" | sed -n 's/^[[:space:]]*txg = //p' | sort -n | tail -n 1; }

discovered() { # STATUS IMAGE...: the JSON of the first is in $T/disk.json
  expect_status "$1" hrvm discover "${@:2}" --json
  jq '.disks[0]' "$T/out" > "$T/disk.json"
}
says() { assert_json "$T/disk.json" "$1"; }
finding() { jq -r ".findings[] | select(.id == \"$1\") | .message" "$T/disk.json"; }

claim "a pool that was in use is told with what zdb reads in its label and newest uberblock"
make_pool tank -m 2 -r 1 -R 0 -K raidz
before=$(base_identity "$T/tank.0a")
discovered 0 "$T/tank.0a"
pool=$(jq '.volumes[] | select(.path == "tank")' "$T/disk.json")
assert_equal "$(jq -r .kind <<< "$pool")" zfs "the kind"
assert_equal "$(jq -r .size_bytes <<< "$pool")" "$(label_field "$T/tank.0a" asize)" "the size"
assert_contains "$(jq -r .details <<< "$pool")" "mirror of 2, txg $(newest_txg "$T/tank.0a")" "the details"
assert_contains "$(jq -r .details <<< "$pool")" "last used by $(label_field "$T/tank.0a" hostname)" "the details"
assert_equal "$(jq -r '.volumes[0] | .filesystem, .label, .uuid' "$T/disk.json" | paste -sd' ')" \
  "zfs_member tank $(label_field "$T/tank.0a" pool_guid)" "the member"

claim "half of a mirror can be used, and the other half is named"
assert_contains "$(finding zfs-member-missing)" "$T/tank.1a" "the finding"
assert_contains "$(finding zfs-member-missing)" "can be used without" "the finding"

claim "both halves on two disks are one pool that lacks nothing"
discovered 0 "$T/tank.0a" "$T/tank.1a"
says '[.findings[] | select(.id == "zfs-member-missing")] == []'
assert_contains "$(finding disk-set)" "$T/tank.1a" "the finding"

claim "in a partition the pool is the same, and a damaged first label is told and not believed"
size=$(stat -c %s "$T/tank.0a")
truncate -s $((size + 2 * 1048576)) "$T/gpt.img"
sgdisk -a 1 -n "1:2048:$((2047 + size / 512))" -t 1:bf01 "$T/gpt.img" > /dev/null
dd if="$T/tank.0a" of="$T/gpt.img" bs=1M seek=1 conv=notrunc,sparse status=none
discovered 0 "$T/gpt.img"
says '.partitions[0] | .role == "zfs" and .filesystem == "zfs_member" and .label == "tank"'
says '.volumes[0].path == "tank"'
printf 'not an nvlist' | dd of="$T/gpt.img" bs=1 seek=$((1048576 + 16384 + 64)) conv=notrunc status=none
discovered 0 "$T/gpt.img"
assert_contains "$(finding zfs-label-damaged)" "first 1 of its four" "the finding"
assert_contains "$(jq -r '.volumes[0].details' "$T/disk.json")" "txg $(newest_txg "$T/tank.0a")" "the details"

claim "a raidz that lacks more than its parity needs all of its disks"
make_pool raid -m 1 -r 4 -R 1 -K raidz
members=("$T"/raid.*)
discovered 0 "${members[@]:0:2}"
assert_contains "$(jq -r '.volumes[] | select(.path == "raid") | .details' "$T/disk.json")" "raidz1 of " "the details"
says '[.findings[] | select(.id == "zfs-member-missing") | .remedy] == ["a machine needs all disks of the pool"]'

claim "nothing was written"
assert_equal "$(base_identity "$T/tank.0a")" "$before" "the device"
