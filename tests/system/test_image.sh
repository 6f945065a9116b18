#!/bin/bash
# Images on real filesystems: what is shared is not copied, what is interrupted leaves nothing, what has no room says so.
. "$(dirname "$0")/lib.sh"
in_private_host
command -v qemu-io > /dev/null || skip "needs qemu-io"

# chain FOLDER: 96 MiB of data on a raw base of 256 MiB under two layers.
chain() {
  qemu-img create -q -f raw "$1/base.raw" 256M
  qemu-io -f raw -c 'write -q -P 1 0 64M' -c 'write -q -P 2 100M 8M' "$1/base.raw"
  qemu-img create -q -f qcow2 -b base.raw -F raw "$1/lower.qcow2"
  qemu-io -f qcow2 -c 'write -q -P 3 32M 24M' -c 'write -q -P 4 200M 64k' "$1/lower.qcow2"
  hrvm image create --quiet --backing "$1/lower.qcow2" "$1/top.qcow2" > /dev/null
  qemu-io -f qcow2 -c 'write -q -P 5 50M 4k' -c 'write -q -P 6 128M 8M' -c 'write -q -z 2M 1M' "$1/top.qcow2"
  sync -f "$1"
}

# filesystem TYPE: mounted at $T/TYPE; fails where this host has none.
filesystem() {
  truncate -s 1G "$T/$1.img"
  mkdir "$T/$1"
  command -v "mkfs.$1" > /dev/null && "mkfs.$1" -q "$T/$1.img" > /dev/null && mount -o loop "$T/$1.img" "$T/$1" 2> /dev/null
}

used() { sync -f "$1"; df --output=used -B1 "$1" | tail -n 1; }

converts() { # SOURCE FOLDER-OF-THE-RESULT
  local out
  for out in flat.qcow2 flat.raw packed.qcow2; do
    case $out in
      flat.raw) expect_status 0 hrvm image convert "$1" "$2/$out" --format raw ;;
      packed.*) expect_status 0 hrvm image convert "$1" "$2/$out" --compress zstd ;;
      *) expect_status 0 hrvm image convert "$1" "$2/$out" ;;
    esac
    qemu-img compare -q "$1" "$2/$out" || fail "$out shows something else"
    expect_status 0 hrvm image compare "$1" "$2/$out"
    [ "$out" = flat.raw ] || qemu-img check -q "$2/$out" || fail "qemu-img check finds errors in $out"
  done
}

claim "a chain is converted to every form"
mkdir "$T/here"
chain "$T/here"
converts "$T/here/top.qcow2" "$T/here"

claim "also where O_DIRECT and holes are not what they are elsewhere"
mkdir "$T/tmpfs"
mount -t tmpfs -o size=1G tmpfs "$T/tmpfs"
converts "$T/here/top.qcow2" "$T/tmpfs"
umount "$T/tmpfs"

for type in xfs btrfs; do
  filesystem "$type" || { claim "$type is not to be had here"; continue; }
  claim "on $type a conversion shares its data with the chain"
  chain "$T/$type"
  before=$(used "$T/$type")
  expect_status 0 hrvm image convert "$T/$type/top.qcow2" "$T/$type/flat.qcow2"
  expect_status 0 hrvm image convert "$T/$type/top.qcow2" "$T/$type/flat.raw" --format raw
  grown=$(($(used "$T/$type") - before))
  [ "$grown" -lt $((16 << 20)) ] || fail "two conversions of 96 MiB took $grown bytes"
  for out in flat.qcow2 flat.raw; do
    qemu-img compare -q "$T/$type/top.qcow2" "$T/$type/$out" || fail "$out shows something else"
  done
  qemu-img check -q "$T/$type/flat.qcow2" || fail "qemu-img check finds errors"

  claim "on $type the merge of a snapshot shares its data"
  expect_status 0 hrvm --store "$T/$type/store" import "$T/$type/base.raw" web --quiet
  layer=$(HRVM_STORE=$T/$type/store active_layer web)
  qemu-io -f qcow2 -c 'write -q -P 7 8M 40M' "$layer"
  expect_status 0 hrvm --store "$T/$type/store" snapshot create web@one
  layer=$(HRVM_STORE=$T/$type/store active_layer web)
  qemu-io -f qcow2 -c 'write -q -P 8 20M 1M' "$layer"
  digest=$(shown "$layer")
  before=$(used "$T/$type")
  expect_status 0 hrvm --store "$T/$type/store" snapshot delete web@one --discard --yes
  grown=$(($(used "$T/$type") - before))
  [ "$grown" -lt $((8 << 20)) ] || fail "the merge of 40 MiB took $grown bytes"
  layer=$(HRVM_STORE=$T/$type/store active_layer web)
  assert_equal "$(shown "$layer")" "$digest" "what the machine shows after the merge"
  qemu-img check -q "$layer" || fail "qemu-img check finds errors after the merge"
  umount "$T/$type"
done

claim "a disk that is mounted is converted only where that is allowed"
truncate -s 16M "$T/disk.img"
mkfs.ext4 -q -F "$T/disk.img"
mkdir "$T/mounted"
mount -o loop "$T/disk.img" "$T/mounted"
loop=$(losetup --noheadings --output NAME --associated "$T/disk.img" | head -n 1)
expect_status 4 hrvm image convert "$loop" "$T/disk.qcow2"
assert_contains "$ERR" --allow-in-use "the message"
expect_status 4 hrvm image convert "$loop" "$T/mounted/disk.qcow2" --allow-in-use
expect_status 0 hrvm image convert "$loop" "$T/disk.qcow2" --allow-in-use
umount "$T/mounted"

claim "a conversion that has no room says so and leaves nothing"
mkdir "$T/small"
mount -t tmpfs -o size=20M tmpfs "$T/small"
for options in '' '--format raw'; do
  # shellcheck disable=SC2086
  expect_status 1 hrvm image convert "$T/here/top.qcow2" "$T/small/out" $options --quiet
  assert_contains "$ERR" "No space left" "the message"
  assert_one_message
  assert_equal "$(ls -A "$T/small")" "" "left over"
done
umount "$T/small"

claim "a conversion that is interrupted leaves nothing"
mkdir "$T/result"
interrupted=0
for delay in 0.02 0.05 0.1 0.2 0.3; do
  "$HRVM" image convert "$T/here/top.qcow2" "$T/result/flat" --compress zlib --quiet > /dev/null 2>&1 &
  sleep "$delay"
  kill -TERM $! 2> /dev/null || true
  status=0
  wait $! || status=$?
  [ "$status" != 143 ] || { interrupted=$((interrupted + 1)); assert_equal "$(ls -A "$T/result")" "" "left over"; }
  rm -f "$T/result/flat"
done
[ "$interrupted" -gt 0 ] || fail "no conversion was interrupted"
