#!/bin/bash
# hrvm is killed at random moments of a conversion and of a merge, KILLS times each. A conversion's image is there whole or
# not at all; what a merge worked on shows what it showed, and the merge can be run again.
. "$(dirname "$0")/lib.sh"
command -v qemu-io > /dev/null || skip "needs qemu-io"
KILLS=${KILLS:-30} # 200 of each take four minutes
[ "$KILLS" != all ] || KILLS=200 # there is no end of moments

# killed_after SECONDS COMMAND...: its exit status, 137 when it was killed in time. It is gone then.
killed_after() {
  local status=0 pid
  "${@:2}" > /dev/null 2>&1 < /dev/null &
  pid=$!
  sleep "$1"
  kill -KILL "$pid" 2> /dev/null || true
  wait "$pid" 2> /dev/null || status=$?
  echo "$status"
}
# A moment of the time that COMMAND takes, at random.
moment() { awk -v n="$RANDOM" -v d="$1" 'BEGIN { printf "%.4f", n / 32768 * d + 0.001 }'; }
duration() {
  local start=$EPOCHREALTIME
  "$@" > /dev/null 2>&1 || fail "it fails: $*"
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'
}

truncate -s 64M "$T/disk.img"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$T/disk.img"
base=$(base_identity "$T/disk.img")
expect_status 0 hrvm import "$T/disk.img" demo
qemu-io -f qcow2 -c 'write -q -P 1 2M 16M' -c 'write -q -P 2 40M 36k' "$(active_layer demo)"
expect_status 0 hrvm snapshot create demo@one
qemu-io -f qcow2 -c 'write -q -P 3 4M 1M' -c 'write -q -P 4 40M 4k' "$(active_layer demo)"
cp -a "$HRVM_STORE" "$T/pristine"
layer=$(active_layer demo)
digest=$(shown "$layer")

mkdir "$T/result"
for options in '' '--format raw' '--compress zstd'; do
  rm -f "$T/result/flat"
  # shellcheck disable=SC2086
  whole=$(duration "$HRVM" image convert "$layer" "$T/result/flat" $options)
  killed=0
  for ((i = 0; i < (KILLS + 2) / 3; i++)); do
    rm -rf "$T/result"
    mkdir "$T/result"
    # shellcheck disable=SC2086
    [ "$(killed_after "$(moment "$whole")" "$HRVM" image convert "$layer" "$T/result/flat" $options)" != 137 ] ||
      killed=$((killed + 1))
    [ -e "$T/result/flat" ] || continue
    [ "$options" = '--format raw' ] || qemu-img check -q "$T/result/flat" || fail "qemu-img check finds errors"
    qemu-img compare -q "$layer" "$T/result/flat" || fail "killed, a conversion left an image that shows something else"
  done
  claim "$killed of $i conversions ($options) were killed"
  [ "$killed" -gt $((i / 4)) ] || fail "too few were killed"
done
assert_equal "$(shown "$layer")" "$digest" "what the source shows"

killed=0 whole=$(duration "$HRVM" snapshot delete demo@one --discard --yes)
for ((i = 0; i < KILLS; i++)); do
  rm -rf "$HRVM_STORE"
  cp -a "$T/pristine" "$HRVM_STORE"
  [ "$(killed_after "$(moment "$whole")" "$HRVM" snapshot delete demo@one --discard --yes)" != 137 ] || killed=$((killed + 1))
  layer=$(active_layer demo)
  assert_equal "$(shown "$layer")" "$digest" "what the machine shows after kill $i"
  status=0
  qemu-img check -q "$layer" > "$T/check" 2>&1 || status=$?
  [ "$status" = 0 ] || [ "$status" = 3 ] || fail "qemu-img check finds more than leaks: $(cat "$T/check")"
  ! jq -e '.snapshots[0]' "$HRVM_STORE/demo/current" > /dev/null || expect_status 0 hrvm snapshot delete demo@one --discard --yes
  assert_equal "$(shown "$(active_layer demo)")" "$digest" "what the machine shows after the merge was run again"
  # 17 MiB of data, as much again for what an earlier run had written, and nothing that was reserved.
  size=$(du -k "$(active_layer demo)" | cut -f1)
  [ "$size" -lt 40000 ] || fail "after kill $i the layer takes $size KiB"
done
claim "$killed of $i merges were killed"
[ "$killed" -gt $((i / 4)) ] || fail "too few were killed"
assert_equal "$(base_identity "$T/disk.img")" "$base" "the base"
