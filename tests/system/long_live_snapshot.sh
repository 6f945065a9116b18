#!/bin/bash
# Snapshots of a machine of two disks while its guest counts up on both: each shows what both held at one moment, whatever
# becomes of hrvm and of QEMU meanwhile.
#
# KILLS of hrvm while it makes one, and in any case around its orders to QEMU and its commits; KILLS=all before every
# system call that matters. SEED draws others.
. "$(dirname "$0")/lib.sh"
. "$SUPPORT/counting.sh"
KILLS=${KILLS:-6}
RANDOM=${SEED:-$$}
SNAPSHOTS=${SNAPSHOTS:-5}

import_counting

start_counting

claim "a machine that runs is kept, again and again, and its guest goes on"
stood=()
for ((i = 1; i <= SNAPSHOTS; i++)); do
  expect_status 0 hrvm snapshot create "demo@s$i" -m "number $i" --json
  assert_json "$T/out" ".live and .findings[0].id == \"no-guest-agent\" and .head == \"s$i\""
  assert_json "$T/out" ".snapshot | .name == \"s$i\" and .description == \"number $i\" and .consistency == \"crash\""
  stood+=("$(jq .frozen_ms "$T/out")")
  assert_equal "$(state)" running "the machine"
  sleep 0.5
done
await_count
printf '  the guest stood still for %s ms\n' "${stood[*]}"
median=$(printf '%s\n' "${stood[@]}" | sort -n | sed -n "$((SNAPSHOTS / 2 + 1))p")
[ "$median" -le 2000 ] || fail "the guest stood still for $median ms" # a busy host, an emulated guest; 500 when it is idle
expect_status 0 hrvm snapshot list demo --json
assert_json "$T/out" '[.snapshots[].consistency] | unique == ["crash"]'

claim "nothing opens a frozen layer for writing any more, and the guard follows"
for layer in $(current -r '.snapshots[].layer'); do
  for file in "$HRVM_STORE/demo/layers/$layer"{,-1}.qcow2; do
    assert_equal "$(stat -c %a "$file")" 400 "the mode of $file"
    for fd in /proc/"$(qemu_pid)"/fd/*; do
      [ "$(readlink "$fd")" = "$file" ] || continue
      grep -q '^flags:.*0$' "${fd/\/fd\//\/fdinfo\/}" || fail "QEMU has $file open for writing"
    done
  done
done
limit_of() { prlimit --fsize --noheadings --output SOFT --pid "$(qemu_pid)" | tr -d ' '; }
[ "$(limit_of)" != unlimited ] || fail "QEMU is held to no bound"

claim "what was kept can be read while it runs on"
counters s1
[ "$FIRST" = "$SECOND" ] || [ "$FIRST" = $((SECOND + 1)) ] || fail "the disks of demo@s1 disagree: $FIRST, $SECOND"

claim "what a running machine refuses, and what it names"
expect_status 1 hrvm snapshot create demo@s1
expect_status 1 hrvm snapshot create demo@other --freeze require
assert_contains "$ERR" 'no agent answers in the guest of demo'
for command in 'reset demo' 'snapshot revert demo@s1'; do
  expect_status 1 hrvm $command --json
  assert_json "$T/err" '.kind == "busy" and (.hint | contains("--stop"))'
done
assert_equal "$(current '.pending')" null "what is pending"

claim "hrvm is killed while it makes one: the machine runs on, and the next command settles whether there is one"
moments snapshot create demo@traced > "$T/moments"
made=0 kills=0
for moment in $(drawn "$T/moments"); do
  kills=$((kills + 1))
  killed "$moment" snapshot create "demo@k$kills"
  assert_equal "$(state)" running "the machine after a kill at $moment"
  # A command that changes nothing else.
  expect_status 0 hrvm snapshot rename demo@s1 s1x
  expect_status 0 hrvm snapshot rename demo@s1x s1
  assert_equal "$(current '.pending')" null "what is pending after a kill at $moment"
  assert_equal "$(state)" running "the machine after a kill at $moment, and the next change"
  if snapshots | grep -qx "k$kills"; then made=$((made + 1)); fi
  assert_equal "$(layers demo | wc -l)" "$((2 * ($(current '.snapshots | length') + 1)))" "the layers after a kill at $moment"
  written=$HRVM_STORE/demo/layers/$(current -r .active.layer).qcow2
  expect_status 1 qemu-io -c 'write 0 512' "$written" # QEMU has it
done
[ "$made" -gt 0 ] && [ "$made" -lt "$kills" ] || fail "of $kills kills $made came after the snapshot was taken"
printf '  %d kills, %d of the snapshots were made\n' "$kills" "$made"
await_count

claim "QEMU is killed as well, before and after it has gone on in the new layers"
# The order that has it switch, and the commit of what it did.
switch=sendto:$(grep '^sendto' "$T/trace" | grep -n '"transaction' | cut -d: -f1)
commit=$(awk '/order/ { if ($1 == "'"$switch"'") after = 1; next } after && /^(rename|symlink)/ { print $1; exit }' "$T/moments")
for moment in "$switch" "$commit"; do
  name=q${moment%:*}
  killed "$moment" snapshot create "demo@$name"
  sleep 1 # it counts on, in which layer ever
  kill -9 "$(qemu_pid)"
  await 20 "the machine still runs" eval '[ "$(state)" = stopped ]'
  expect_status 0 hrvm snapshot rename demo@s1 s1x
  expect_status 0 hrvm snapshot rename demo@s1x s1
  assert_equal "$(current '.pending')" null "what is pending"
  guest_ended line
  case $moment in
    "$switch") assert_lacks "$(snapshots)" "$name" "the snapshots" ;;
    *) assert_contains "$(snapshots)" "$name" "the snapshots" ;;
  esac
  start_counting
  await_count
done

claim "--stop ends it first"
expect_status 0 hrvm snapshot create demo@last
expect_status 0 hrvm snapshot revert demo@last --stop
assert_equal "$(state)" stopped "the machine"
guest_ended line

claim "each snapshot shows both disks as they were at one moment, later than the one before"
check_snapshots
for layer in "$HRVM_STORE"/demo/layers/*.qcow2; do
  qemu-img check -q "$layer" || fail "qemu-img check finds errors in $layer"
done
assert_equal "$(find "$HRVM_STORE/demo/layers" -name '*.qcow2' | wc -l)" \
  "$((2 * ($(current '.snapshots | length') + 1 + $(current '[.log[].held | objects] | length'))))" "the layers"
expect_status 0 hrvm verify demo --layers
assert_equal "$(bases)" "$before" "the bases"
