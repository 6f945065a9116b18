#!/bin/bash
# A machine in the background takes orders: its console is joined, its screen is seen, it is paused, goes on, starts again
# in the same QEMU, and is stopped.
. "$(dirname "$0")/lib.sh"

import_demo
base=$(base_identity "$BASE")
state() { hrvm list --json | jq -r '.machines[0] | .state + " " + (.pid | tostring)'; }

claim "console joins the serial line of a machine that runs in the background"
hear
forwarded=$((PORT + 1))
expect_status 0 hrvm boot demo --detach --wait-for "login:" --timeout 120 --forward "$forwarded:22" --json
pid=$(jq .pid "$T/out")
guest_start line "$HRVM" console demo
exec 7<> "$T/guest-line/keys" # a pipe that nobody has open yet would forget the key
guest_type line ''
guest_login line
guest_run line 'echo kept > /root/note; sync'

claim "an isolated guest is reached by its forward, and does not reach the host"
guest_run line "$TAKE_ADDRESS && { (echo answer | nc -l -p 22 > /dev/null) & sleep 1; }"
assert_equal "$(timeout 20 busybox nc -w 10 127.0.0.1 "$forwarded" < /dev/null)" answer "what the guest says"
guest_run line "! $(tell_host)"
assert_equal "$(cat "$T/heard")" "" "what the host heard"

claim "it is shown as it runs, not as it is set"
expect_status 0 hrvm show demo --json
assert_json "$T/out" ".machines[0].running.forwards == [\"$forwarded:22\"] and .machines[0].runs[0].pid == $pid"
assert_json "$T/out" '.machines[0].running.since == .machines[0].runs[0].since and .machines[0].throw_away_runs == 0'

claim "nobody else gets that line"
expect_status 1 hrvm console demo
assert_one_message
assert_contains "$ERR" 'somebody is connected to its serial line'

claim "screenshot shows its screen, and replaces no file by itself"
expect_status 0 hrvm screenshot demo "$T/screen.png"
assert_equal "$(head -c 8 "$T/screen.png" | od -An -tx1 | tr -d ' ')" 89504e470d0a1a0a "a PNG's first bytes"
expect_status 1 hrvm screenshot demo "$T/screen.png"
expect_status 0 hrvm screenshot demo "$T/screen.png" --force
expect_status 4 hrvm screenshot demo "$BASE" --force

claim "pause lets it stand still, resume goes on"
expect_status 0 hrvm pause demo
assert_equal "$(state)" "paused $pid" "the machine"
expect_status 0 hrvm show demo
assert_contains "$OUT" 'demo  paused (by hand: hrvm resume demo)'
expect_status 0 hrvm pause demo
guest_type line 'echo answer-$((40 + 2))'
sleep 1
assert_lacks "$(guest_text line)" 'answer-42' "a paused guest"
expect_status 0 hrvm resume demo
guest_wait line 'answer-42' 20
assert_equal "$(state)" "running $pid" "the machine"

claim "restart powers the guest down and starts it again, in the same QEMU and on the same line"
expect_status 0 hrvm restart demo --json
assert_json "$T/out" '.done == "powered-down"'
guest_wait line "$READY boots=2" 60
assert_equal "$(state)" "running $pid" "the machine"
guest_login line
guest_run line 'grep kept /root/note'

claim "a guest that powers down by itself afterwards ends its QEMU, as without a restart before"
guest_type line poweroff
guest_ended line 60
for turn in {1..50}; do [ "$(state)" = 'stopped null' ] && break; sleep 0.1; done
assert_equal "$(state)" 'stopped null' "the machine"

claim "a machine that does not run takes no orders"
for order in 'pause demo' 'resume demo' 'restart demo' 'console demo' "screenshot demo $T/x.png" 'stop demo'; do
  expect_status 1 hrvm $order
  assert_one_message
  assert_contains "$ERR" 'machine demo is not running'
done

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
