#!/bin/bash
# A terminal that goes away while hrvm works or a machine runs on it: nothing hangs, nothing is lost.
. "$(dirname "$0")/lib.sh"

BASE=$T/disk.img
truncate -s 8M "$BASE"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$BASE"
expect_status 0 hrvm import "$BASE" demo --memory 64M --cpus 1 --firmware bios

# script(1) holds the terminal; when it is killed the terminal hangs up.
on_terminal() { # COMMAND-LINE
  script -qefc "$1" "$T/typescript" < <(exec sleep 60 > /dev/null 2>&1) > /dev/null 2>&1 &
  TERMINAL=$!
  at_end "kill -9 $TERMINAL 2> /dev/null"
}

state() { hrvm list --json | jq -r '.machines[0].state'; }

wait_for_state() {
  local limit=$((SECONDS + 30))
  until [ "$(state)" = "$1" ]; do
    [ "$SECONDS" -lt "$limit" ] || fail "the machine is $(state), not $1: $(cat "$T/typescript" 2> /dev/null)"
    sleep 0.1
  done
}

hang_up() { { kill -9 "$TERMINAL" && wait "$TERMINAL"; } 2> /dev/null || true; }

claim "a machine on a terminal that hangs up does not run on unseen"
for console in serial auto; do
  on_terminal "'$HRVM' boot demo --console $console"
  wait_for_state running
  hang_up
  wait_for_state stopped
  qemu-img check -q "$(active_layer demo)" || fail "qemu-img check finds errors in the layer"
done

claim "a supervised one neither"
on_terminal "'$HRVM' boot demo --wait-for never --timeout 100"
wait_for_state running
hang_up
wait_for_state stopped

claim "a detached one does"
on_terminal "'$HRVM' boot demo --detach; sleep 30"
wait_for_state running
hang_up
sleep 1
wait_for_state running
expect_status 0 hrvm stop demo --force
wait_for_state stopped

claim "how to leave is said again once the firmware has wiped it off the screen, unless nothing is to be said"
for quiet in '' -q; do
  on_terminal "'$HRVM' boot demo --console serial $quiet"
  wait_for_state running
  sleep 14
  hang_up
  wait_for_state stopped
  grep -aq 'Booting from Hard Disk' "$T/typescript" || fail "the firmware said nothing: $(cat "$T/typescript")"
  after=$(tr -d '\0' < "$T/typescript" | sed 's/.*\x1b\[2J//' | sed -n '/Booting from Hard Disk/,$p')
  [ -n "$quiet" ] || assert_contains "$after" 'keys:  Ctrl-A X' 'what stands below the firmware'
  [ -z "$quiet" ] || assert_lacks "$(cat "$T/typescript" | tr -d '\0')" 'Ctrl-A X' 'the terminal'
done

claim "a reader that closes the pipe ends hrvm quietly"
for command in 'list --json' '--help' 'boot demo --xml'; do
  { "$HRVM" $command 2> "$T/err" || true; } | true
  assert_lacks "$(cat "$T/err")" Sanitizer "stderr of $command"
  assert_lacks "$(cat "$T/err")" terminate "stderr of $command"
done
expect_status 0 hrvm show demo

claim "output that cannot be written is an error"
status=0
"$HRVM" list --json > /dev/full 2> "$T/err" || status=$?
assert_equal "$status" 1 "exit status when stdout is full: $(cat "$T/err")"
assert_contains "$(cat "$T/err")" "what was asked for is done" "the message"
