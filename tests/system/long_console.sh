#!/bin/bash
# What a guest prints on its serial line is kept, whoever is killed, and a script types on that line and waits for answers.
. "$(dirname "$0")/lib.sh"

import_demo
base=$(base_identity "$BASE")
at_end 'hrvm stop demo --force > /dev/null 2>&1'

state() { hrvm list --json | jq -r '.machines[0].state'; }
stopped() { [ "$(state)" = stopped ]; }
kept() { hrvm log demo --console "$@" < /dev/null; }
has_kept() { [[ $(kept 2> /dev/null | tr -d '\0') == *"$1"* ]]; }
logs() { find "$HRVM_STORE/demo/consoles" -name '*.log' | wc -l; }

claim "nothing is kept before the first run, and nothing by what only shows a boot"
expect_status 1 hrvm log demo --console
assert_one_message
expect_status 0 hrvm boot demo --print
assert_lacks "$OUT" logfile 'the command'
expect_status 0 hrvm boot demo --xml
[ ! -e "$HRVM_STORE/demo/consoles" ] || fail "there is a folder for consoles"

claim "a watched run is kept, for its owner alone"
expect_status 0 hrvm boot demo --wait-for "$READY" --timeout 120
expect_status 0 hrvm log demo --console
assert_contains "$OUT" "$READY boots=1" 'what is kept'
assert_equal "$(stat -c %a "$HRVM_STORE/demo/consoles" "$HRVM_STORE/demo/consoles/1.log" | xargs)" '700 600' modes

claim "so is one in the background from its first byte, which is followed to its end, though QEMU is killed"
expect_status 0 hrvm boot demo --detach
: > "$T/followed"
hrvm log demo --console -f > "$T/followed" < /dev/null &
follower=$!
at_end "end_process $follower"
await 60 "the follower did not see it come up: $(tail -n 5 "$T/followed")" grep -aq "$READY boots=2" "$T/followed"
kill -9 "$(hrvm list --json | jq .machines[0].pid)"
await 10 'the follower did not end with the run' eval "! kill -0 $follower 2> /dev/null"
wait "$follower" || fail 'the follower failed'
await 10 'it still runs' stopped
kept > "$T/kept"
cmp "$T/kept" "$T/followed" || fail 'what was followed is not what is kept'
expect_status 0 hrvm log demo --console --boot -1
assert_contains "$OUT" "$READY boots=1" 'the run before'
expect_status 1 hrvm log demo --console --boot -2
assert_contains "$ERR" '2 runs are kept' stderr

claim "a foreground run is kept, and hrvm killed in the middle loses nothing of it"
guest_start front "$HRVM" boot demo --console serial
guest_login front
guest_run front 'echo said-$((40 + 2))'
kill -9 "$(cat "$T/guest-front/pid")"
await 10 'it still runs' stopped
has_kept said-42 || fail "what it said is not kept: $(kept | tail -n 5)"
"$HRVM" boot demo --wait-for never --timeout 100 > /dev/null 2>&1 < /dev/null &
watcher=$!
await 60 'it did not come up' has_kept "$READY boots=4"
{ kill -9 "$watcher" && wait "$watcher"; } 2> /dev/null || true
has_kept "$READY boots=4" || fail 'it is not kept any more'
hrvm stop demo --force > /dev/null 2>&1 || true # whether QEMU has ended with it is another test's
await 10 'it still runs' stopped

claim "a throw-away run is kept, after its layer has gone"
expect_status 0 hrvm boot demo --ephemeral --wait-for "$READY" --timeout 120
has_kept "$READY boots=5" || fail "not kept: $(kept | tail -n 5)"
assert_equal "$(ls "$HRVM_STORE/demo/tmp" | wc -l)" 0 'throw-away layers'

claim "a script types on the line, and waits for answers"
expect_status 0 hrvm boot demo --detach --wait-for 'login:' --timeout 120
hrvm console demo < /dev/null > "$T/out" || fail "console with no input: $?"
printf 'root\n' | hrvm console demo --wait-for '# $' --timeout 30 > "$T/out" || fail "no prompt: $(cat "$T/out")"
printf 'echo sum-$((40 + 2))\n' | hrvm console demo --wait-for '^sum-42$' --timeout 30 > "$T/out" || fail 'no answer'
assert_contains "$(cat "$T/out")" sum-42 'what was printed'
printf 'echo sum-$((40 + 3))\n' | hrvm console demo --wait-for '^sum-43$' --timeout 30 --json > "$T/out" || fail 'no answer'
assert_json "$T/out" '.schema == "hrvm.console/1" and .machine == "demo" and .matched == "sum-43"'
status=0
printf 'echo never\n' | hrvm console demo --wait-for '^ever$' --timeout 3 > "$T/out" 2> "$T/err" || status=$?
assert_equal "$status" 1 'exit status when it did not come'
assert_contains "$(cat "$T/err")" "demo did not print '^ever\$' within 3 s" stderr
expect_status 2 hrvm console demo --wait-for '*('
expect_status 2 hrvm console demo --timeout 3

claim "all that is typed arrives, though nothing is waited for"
printf 'cat > /root/long; sync; echo got-it-all\n' | hrvm console demo > /dev/null
seq 300 | sed 's/$/ is one of many lines/' | hrvm console demo > /dev/null
printf '\004' | hrvm console demo --wait-for 'got-it-all' --timeout 60 > /dev/null
printf 'wc -l < /root/long\n' | hrvm console demo --wait-for '^300$' --timeout 30 > "$T/out" || fail "$(cat "$T/out")"

claim "a guest that prints without end takes no more than it may, and its newest lines are there"
printf 'i=0; while [ $i -lt 120000 ]; do i=$((i + 1)); echo "line $i of a hundred and twenty thousand"; done; echo all-$((1 + 1))\n' \
  | hrvm console demo > /dev/null # which leaves: with a slow reader on the line QEMU keeps some characters twice
await 400 'it did not print all' has_kept all-2
sleep 3
log=$(hrvm log demo --console --json | jq -r .path)
[ "$(stat -c %s "$log")" -gt 4000000 ] || fail "it printed less: $(stat -c %s "$log")"
[ "$(du -k "$log" | cut -f 1)" -le 2100 ] || fail "it takes $(du -k "$log")"
kept 2> "$T/err" > "$T/out"
assert_contains "$(cat "$T/err")" 'more than is kept' stderr
head -n 1 "$T/out" | grep -qE '^line [0-9]+ of a hundred and twenty thousand' || fail "it begins with $(head -n 1 "$T/out")"
grep -aq '^line 120000 of' "$T/out" || fail 'its end is missing'

claim "a machine that ends while it is waited for is told"
status=0
printf 'poweroff\n' | hrvm console demo --wait-for never --timeout 60 > "$T/out" 2> "$T/err" || status=$?
assert_equal "$status" 1 'exit status when it ends'
assert_contains "$(cat "$T/err")" "before it ended" stderr
await 20 'it still runs' stopped

claim "a store that cannot be written: it lies beside the throw-away layer, and goes with it"
if [ "$(id -u)" = 0 ]; then
  mkdir "$T/scratch" "$T/read-only"
  before=$(logs)
  unshare -m bash -c "mount --bind '$HRVM_STORE' '$T/read-only' && mount -o remount,bind,ro '$T/read-only' &&
    { '$HRVM' --store '$T/read-only' boot demo --ephemeral --scratch '$T/scratch' --wait-for '$READY' --timeout 120 --detach &&
      '$HRVM' --store '$T/read-only' log demo --console > '$T/out'; '$HRVM' --store '$T/read-only' stop demo --force; }" \
    > "$T/log" 2>&1 < /dev/null || fail "$(cat "$T/log")"
  assert_contains "$(tr -d '\0' < "$T/out")" "$READY" "what is kept: $(cat "$T/log")"
  assert_equal "$(logs)" "$before" 'files in the store'
fi

claim "eight runs are kept, a copy has its own, and remove takes them along"
for run in 1 2 3 4; do expect_status 0 hrvm boot demo --wait-for Linux --timeout 60; done # a silent run is not kept
assert_equal "$(logs)" 8 'files of runs'
cp -a "$HRVM_STORE/demo" "$HRVM_STORE/copy"
expect_status 0 hrvm boot copy --wait-for Linux --timeout 60
expect_status 0 hrvm log copy --console --boot -7
assert_equal "$(logs)" 8 'files of runs of the original'
expect_status 0 hrvm remove copy --yes
expect_status 0 hrvm doctor demo
expect_status 0 hrvm rename demo other
expect_status 0 hrvm log other --console --boot -7
expect_status 0 hrvm remove other --yes
[ ! -e "$HRVM_STORE/other" ] || fail 'something is left'

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
