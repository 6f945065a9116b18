#!/bin/bash
# Boots that hrvm stays with, or that run on without it.
. "$(dirname "$0")/lib.sh"

BASE=$T/demo.img
import_demo
base=$(base_identity "$BASE")
at_end 'hrvm stop demo --force > /dev/null 2>&1'

running() { hrvm list --json | jq -r '.machines[0].state'; }

claim "--wait-for ends with 0 once the prompt is there, which ends no line, and stops the machine"
expect_status 0 hrvm boot demo --wait-for 'demo login: *$' --timeout 120
assert_equal "$(running)" stopped "afterwards"

claim "when the time passes it ends with 1 and the console's tail"
expect_status 1 hrvm boot demo --wait-for 'never printed' --timeout 60
assert_contains "$ERR" "$READY" "the tail"
assert_equal "$(running)" stopped "afterwards"

claim "a regular expression that is none is wrong usage"
expect_status 2 hrvm boot demo --wait-for '*('

claim "a machine that ends first is told from one that was waited for in vain"
guest_start ending "$HRVM" boot demo --wait-for 'never printed' --timeout 100
limit=$((SECONDS + 60))
until expect_status 0 hrvm list --json && [ "$(jq -r '.machines[0].state' "$T/out")" = running ]; do
  [ "$SECONDS" -lt "$limit" ] || fail "the machine does not run"
  sleep 0.2
done
expect_status 0 hrvm stop demo --force
guest_ended ending 20
assert_lacks "$(cat "$T/guest-ending/errors")" Sanitizer stderr

claim "--detach runs on, stop powers down"
expect_status 0 hrvm boot demo --detach --wait-for "$READY" --timeout 120
assert_equal "$(running)" running "afterwards"
expect_status 1 hrvm boot demo --detach
assert_one_message
expect_status 0 hrvm stop demo
assert_equal "$(running)" stopped "afterwards"
expect_status 1 hrvm stop demo
assert_one_message

claim "a guest that ignores the button is ended after the time limit, which is said"
expect_status 0 hrvm boot demo --detach
expect_status 0 hrvm stop demo --timeout 1
[ -n "$OUT$ERR" ] || fail "stop did not say how it went"
assert_equal "$(running)" stopped "afterwards"

claim "Ctrl-C ends hrvm and the machine with it"
"$HRVM" boot demo --wait-for 'never printed' --timeout 100 > "$T/log" 2>&1 < /dev/null &
pid=$!
until [ "$(running)" = running ]; do sleep 0.2; done
kill -INT "$pid" 2> /dev/null
status=0
wait "$pid" || status=$?
case $status in
  130 | 0) ;; # a shell starts background jobs with SIGINT ignored
  *) fail "exit status $status after SIGINT: $(cat "$T/log")" ;;
esac

claim "killing QEMU loses nothing: the next boot works, no socket that is left over is in the way"
expect_status 0 hrvm boot demo --detach --wait-for "$READY" --timeout 120
pid=$(hrvm list --json | jq -r '.machines[0].pid')
kill -9 "$pid"
until [ "$(running)" = stopped ]; do sleep 0.1; done
qemu-img check -q "$(active_layer demo)" || fail "qemu-img check finds errors in the layer"
expect_status 0 hrvm boot demo --wait-for "$READY" --timeout 120
assert_equal "$(base_identity "$BASE")" "$base" "the base"
