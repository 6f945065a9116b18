#!/bin/bash
# Automatic snapshots are made and pruned, and what is left shows what it showed, also where pruning was killed.
. "$(dirname "$0")/lib.sh"

BASE=$T/disk.img
truncate -s 8M "$BASE"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$BASE"
base=$(base_identity "$BASE")
expect_status 0 hrvm import "$BASE" demo

write() { qemu-io -c "write -P $1 $2 64k" "$(active_layer demo)" > /dev/null; }
snapshots() { "$HRVM" snapshot list demo --quiet; }
layer_of() { jq -r --arg name "$1" '.snapshots[] | select(.name == $name) | .layer' "$HRVM_STORE/demo/current"; }
shown_by() { shown "$HRVM_STORE/demo/layers/$(layer_of "$1").qcow2"; }
clean() {
  local layer
  for layer in $(layers demo); do qemu-img check -q "$layer" || fail "qemu-img check finds errors in $layer"; done
}

# back_date NAME TIME: as if the snapshot had been made then.
back_date() {
  local file
  file=$(readlink -f "$HRVM_STORE/demo/current")
  jq --arg name "$1" --arg time "$2" '(.snapshots[] | select(.name == $name) | .created) = $time' "$file" > "$T/edited"
  cat "$T/edited" > "$file"
}

claim "an automatic snapshot is made of what changed, and none of what did not"
expect_status 0 hrvm snapshot create demo --auto --quiet
first=$OUT
expect_status 0 hrvm snapshot create demo --auto --quiet
assert_equal "$OUT" "" "what was made of a machine that has not changed"
expect_status 0 hrvm snapshot create demo --auto
assert_contains "$OUT" "has not changed since $first"

# Six days with four snapshots each, one of them a person's; each writes a place of its own, and one that all share.
declare -A SHOWN=()
count=1
for day in {01..06}; do
  for hour in 02 08 14 20; do
    write $count "$((count * 64))k"
    write $count 0
    expect_status 0 hrvm snapshot create demo --auto --quiet
    name=${OUT#demo@}
    back_date "$name" "2026-03-${day}T$hour:00:00Z"
    [ "$day$hour" != 0314 ] || { expect_status 0 hrvm snapshot rename "demo@$name" mine && name=mine; }
    SHOWN[$name]=$(shown_by "$name")
    count=$((count + 1))
  done
done
back_date "${first#demo@}" 2026-03-01T01:00:00Z
write 99 4M
now=$(shown "$(active_layer demo)")
assert_equal "$(snapshots | wc -l)" 25 "snapshots"

claim "--dry-run tells what would go, and why the others stay; without a terminal --yes is asked for"
before=$(sha256sum "$HRVM_STORE/demo/current")
expect_status 0 hrvm snapshot prune demo --keep-daily 3 --keep-last 1 --timezone UTC --dry-run --json
assert_json "$T/out" '.schema == "hrvm.snapshot-prune-plan/1" and .kept == 4 and .removed == 21 and .timezone == "UTC"'
assert_json "$T/out" '.snapshots[0] | .because == ["last", "daily 2026-03-06"] and .keep and .auto'
assert_json "$T/out" '[.snapshots[] | select(.name == "mine")][0] | .because == ["not made by --auto"] and (.auto | not)'
expect_status 2 hrvm snapshot prune demo --keep-daily 3
assert_contains "$ERR" "add --yes"
expect_status 2 hrvm snapshot prune demo --keep-last 0 --yes
expect_status 2 hrvm snapshot prune demo --timezone Europe/Nowhere --yes
assert_equal "$(sha256sum "$HRVM_STORE/demo/current")" "$before" "the definition"

# check_what_is_left: each snapshot that is there shows what it showed, and so does the machine.
check_what_is_left() {
  local name
  for name in $(snapshots); do
    name=${name#demo@}
    [ -z "${SHOWN[$name]:-}" ] || assert_equal "$(shown_by "$name")" "${SHOWN[$name]}" "what $name shows"
  done
  assert_equal "$(shown "$(active_layer demo)")" "$now" "what the machine shows"
  clean
}

claim "killed at any time, what is done is done, and what is left shows what it showed"
cp -a "$HRVM_STORE" "$T/kept-store"
again() { rm -rf "$HRVM_STORE" && cp -a "$T/kept-store" "$HRVM_STORE"; }
prune() { "$HRVM" snapshot prune demo --keep-daily 3 --timezone UTC --discard --yes "$@" > "$T/out" 2>&1 < /dev/null; }
start=$(date +%s%N)
prune || fail "$(cat "$T/out")"
check_what_is_left
took=$((($(date +%s%N) - start) / 1000000))
midst=0
for moment in $(seq "${KILLS:-5}"); do
  again
  "$HRVM" snapshot prune demo --keep-daily 3 --timezone UTC --discard --yes > "$T/log" 2>&1 < /dev/null &
  pid=$!
  sleep "$(printf '%d.%03d' $((took * moment / (${KILLS:-5} + 1) / 1000)) $((took * moment / (${KILLS:-5} + 1) % 1000)))"
  kill -KILL "$pid" 2> /dev/null || true
  wait "$pid" 2> /dev/null || true
  expect_status 0 hrvm show demo --json
  left=$(snapshots | wc -l)
  [ "$left" = 25 ] || [ "$left" = 4 ] || midst=$((midst + 1))
  check_what_is_left
  prune --json || fail "$(cat "$T/out")"
  assert_json "$T/out" ".kept == 4 and .removed == $left - 4"
  check_what_is_left
done
[ "$midst" -gt 0 ] || fail "no kill came in the midst of pruning, which took $took ms"

claim "what is pruned is held for undo, all of it by one step, unless it is to go at once"
again
cp "$HRVM_STORE/demo/current" "$T/unpruned"
expect_status 0 hrvm snapshot prune demo --keep-daily 3 --timezone UTC --yes --json
assert_json "$T/out" '.undo and .removed == 21 and .kept == 4'
assert_equal "$(snapshots | wc -l)" 4 "snapshots"
assert_equal "$(layers demo | wc -l)" 26 "layers"
assert_equal "$(shown "$(active_layer demo)")" "$now" "what the machine shows"
expect_status 0 hrvm undo demo
assert_equal "$(jq -cS .snapshots "$HRVM_STORE/demo/current")" "$(jq -cS .snapshots "$T/unpruned")" "the snapshots"
expect_status 0 hrvm snapshot prune demo --keep-daily 3 --timezone UTC --yes
assert_contains "$OUT" 'nothing is freed yet'
expect_status 0 hrvm undo demo --discard --yes
again
prune || fail "$(cat "$T/out")"
check_what_is_left

claim "what is left are the newest of the three newest days, and a person's"
assert_equal "$(snapshots | wc -l)" 4 "snapshots"
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '[.snapshots[] | select(.auto) | .created] == ["2026-03-04T20:00:00Z", "2026-03-05T20:00:00Z",
  "2026-03-06T20:00:00Z"]'
assert_equal "$(layers demo | wc -l)" 5 "layers"
expect_status 0 hrvm verify demo --layers
expect_status 0 hrvm log demo --json
assert_json "$T/out" '[.steps[] | select(.what | startswith("snapshot prune"))] | length == 1'

claim "another run changes nothing"
before=$(sha256sum "$HRVM_STORE/demo/current")
expect_status 0 hrvm snapshot prune demo --keep-daily 3 --timezone UTC --discard --yes
assert_equal "$(sha256sum "$HRVM_STORE/demo/current")" "$before" "the definition"

claim "what undo needs stays, and undo brings it back"
head=$(jq -r .active.head "$HRVM_STORE/demo/current")
expect_status 0 hrvm reset demo
expect_status 0 hrvm snapshot prune demo --keep-yearly 1 --discard --yes --json
assert_json "$T/out" ".snapshots[] | select(.name == \"$head\") | .because | contains([\"needed for undo\"])"
expect_status 0 hrvm undo demo
assert_equal "$(shown "$(active_layer demo)")" "$now" "after undo"

claim "what the timer calls makes a snapshot of each machine that wants it, prunes, and goes on when one fails"
expect_status 0 hrvm import "$BASE" other
expect_status 0 hrvm import "$BASE" quiet
expect_status 0 hrvm set demo auto-snapshot=on
expect_status 0 hrvm set other auto-snapshot=on
write 7 5M
expect_status 0 hrvm snapshot auto --dry-run --json
assert_json "$T/out" '.schema == "hrvm.snapshot-auto-plan/1" and [.machines[].machine] == ["demo", "other"]'
layers=$(layers demo)
expect_status 0 hrvm snapshot auto --json --keep-daily 1 --timezone UTC
assert_json "$T/out" '[.machines[] | select(.snapshot != null and .error == null)] | length == 2'
[ "$(layers demo)" != "$layers" ] || fail "no layer was made"
expect_status 0 hrvm snapshot auto --json --keep-daily 1 --timezone UTC
assert_json "$T/out" '[.machines[] | select(.snapshot == null and .unchanged_since != null)] | length == 2'
chmod 600 "$(active_layer demo)" && truncate -s 100 "$(active_layer demo)"
qemu-io -c "write -P 1 1M 64k" "$(active_layer other)" > /dev/null
expect_status 1 hrvm snapshot auto --json
assert_json "$T/out" '.machines[0].error != null and .machines[1].snapshot != null and .machines[1].error == null'

assert_equal "$(base_identity "$BASE")" "$base" "the base"
