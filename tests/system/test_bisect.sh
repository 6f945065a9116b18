#!/bin/bash
# The first bad snapshot is found by a command, whoever is killed on the way; what takes part is not deleted meanwhile.
. "$(dirname "$0")/lib.sh"

BASE=$T/disk.img
truncate -s 8M "$BASE"
printf 'label: dos\nlabel-id: 0xd3300001\nstart=2048, type=83\n' | sfdisk -q "$BASE"
base=$(base_identity "$BASE")
expect_status 0 hrvm import "$BASE" demo

# s1 … s16 each write a place of their own; from s11 on a place has another byte.
for number in {1..16}; do
  qemu-io -c "write -P $number $((number * 64))k 64k" "$(active_layer demo)" > /dev/null
  [ "$number" != 11 ] || qemu-io -c 'write -P 0xbd 2M 64k' "$(active_layer demo)" > /dev/null
  expect_status 0 hrvm snapshot create "demo@s$number"
done

cat > "$T/judge" << 'JUDGE'
#!/bin/bash
# Tells by the image that it is given. What it was asked for is a line in $TRIED; what $SKIP names cannot be tested.
echo "$HRVM_SNAPSHOT" >> "$TRIED"
[[ " $SKIP " != *" $HRVM_SNAPSHOT "* ]] || exit 125
[ "$HRVM_MACHINE" = demo ] || exit 127
if [ "$HRVM_SNAPSHOT" = "$HANG_ON" ]; then touch "$TRIED.hangs" && sleep 600; fi
# It is the judge's to write to.
qemu-io -c 'write -P 1 4M 64k' "$HRVM_IMAGE" > /dev/null || exit 126
qemu-io -r -c 'read -P 0 2M 64k' "$HRVM_IMAGE" > /dev/null
JUDGE
chmod +x "$T/judge"
export TRIED=$T/tried SKIP='' HANG_ON=''

states() { find "$HRVM_STORE/demo" -name '*.qcow2' -path '*/layers/*' -exec sha256sum {} + | sort; }
before=$(states)
start() {
  rm -f "$TRIED" "$TRIED.hangs"
  hrvm bisect reset demo > /dev/null
  expect_status 0 hrvm bisect start demo "$@"
}

claim "of sixteen snapshots the eleventh is found in four tests"
start
expect_status 0 hrvm bisect run demo --json -- "$T/judge"
assert_json "$T/out" '.schema == "hrvm.bisect-run/1" and .first_bad == "s11" and .tests == 4 and .candidates == ["s11"]'
assert_json "$T/out" '.good == "base" and .bad == "current" and .next == null and .tests_left == 0'
assert_json "$T/out" '[.tested[] | select(.snapshot == "s11")] | .[0].verdict == "bad" and .[0].status == 1'
assert_json "$T/out" '[.diff.volumes[] | [.volume, .state]] == [["p1", "unreadable"]] and .diff.changes == [] and .packages == []'
assert_equal "$(wc -l < "$TRIED")" 4 'tests that were made'
expect_status 0 hrvm bisect status demo
assert_contains "$OUT" 'demo@s11 is the first bad one; demo@s10 is good.'
expect_status 0 hrvm bisect run demo -- "$T/judge"
assert_equal "$(wc -l < "$TRIED")" 4 'tests after it was found'

claim "nothing of the machine is touched by it, and nothing stays behind"
assert_equal "$(states)" "$before" 'layers'
[ -z "$(ls "$HRVM_STORE/demo/tmp" 2> /dev/null)" ] || fail 'a throw-away layer is left'

claim "with five that cannot be tested it takes seven at most"
start
SKIP='s8 s9 s12 s4 s14' expect_status 0 hrvm bisect run demo --json -- "$T/judge"
assert_json "$T/out" '.first_bad == "s11" and .tests <= 7'

claim "where those around it cannot be tested all that it may be are named, exit status 3"
start
SKIP='s10 s11 s12' expect_status 3 hrvm bisect run demo --json -- "$T/judge"
assert_json "$T/out" '.first_bad == null and .candidates == ["s10", "s11", "s12", "s13"]'
expect_status 3 hrvm bisect good demo s10
assert_contains "$OUT" 'is one of these, and the others of them could not be tested: s11, s12, s13'

claim "hrvm and what it runs killed in the second test: it goes on, and does none twice but that one"
start
HANG_ON=s12 "$HRVM" bisect run demo -- "$T/judge" > /dev/null 2>&1 &
victim=$!
await 60 'the second test did not begin' test -e "$TRIED.hangs"
judge=$(pgrep -P "$victim" || true)
{ kill -9 "$victim" && wait "$victim"; } 2> /dev/null || true
await 30 'the command outlived hrvm' eval "! kill -0 ${judge:-$victim} 2> /dev/null"
assert_equal "$(xargs < "$TRIED")" 's8 s12' 'tests before'
assert_json "$HRVM_STORE/demo/bisect.json" '.tests | length == 1'
expect_status 0 hrvm bisect run demo --json -- "$T/judge"
assert_json "$T/out" '.first_bad == "s11" and .tests == 4'
assert_equal "$(xargs < "$TRIED")" 's8 s12 s12 s10 s11' 'all tests'
[ -z "$(ls "$HRVM_STORE/demo/tmp" 2> /dev/null)" ] || fail 'a throw-away layer is left'

claim "interrupted, the command ends, and what was learned is there"
start
HANG_ON=s12 "$HRVM" bisect run demo -- "$T/judge" > /dev/null 2> "$T/err" &
victim=$!
await 60 'the second test did not begin' test -e "$TRIED.hangs"
judge=$(pgrep -P "$victim")
kill -INT "$victim"
status=0
wait "$victim" || status=$?
assert_equal "$status" 130 'exit status'
! kill -0 "$judge" 2> /dev/null || fail 'the command runs on'
assert_json "$HRVM_STORE/demo/bisect.json" '.tests | length == 1'

claim "a command that says nothing of the machine stops it: it cannot be run, is not there, a signal ended it"
for code in 126 127 137; do
  start
  expect_status 1 hrvm bisect run demo -- sh -c "exit $code"
  assert_contains "$ERR" 'says nothing of the machine' stderr
  assert_json "$HRVM_STORE/demo/bisect.json" '.tests == []'
done
expect_status 1 hrvm bisect run demo -- "$T/none"
assert_one_message
expect_status 0 hrvm bisect run demo --timeout 1 --json -- sh -c 'sleep 30'
assert_json "$T/out" '.first_bad == "s1" and all(.tested[]; .verdict == "bad" and .status == null)'

claim "snapshots that take part are not deleted, and may be called otherwise"
start s12 s9
expect_status 1 hrvm snapshot delete demo@s10 --yes
assert_contains "$ERR" 'demo@s10 takes part in a bisect' stderr
expect_status 0 hrvm snapshot rename demo@s11 guilty
expect_status 0 hrvm snapshot delete demo@s16 --yes
expect_status 0 hrvm bisect run demo --json -- "$T/judge"
assert_json "$T/out" '.first_bad == "guilty"'
expect_status 0 hrvm bisect log demo
printf '%s\n' "$OUT" > "$T/log"
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm bisect replay demo "$T/log" --json
assert_json "$T/out" '.first_bad == "guilty" and .tests == 2'
expect_status 0 hrvm bisect reset demo
expect_status 0 hrvm snapshot delete demo@s10 --yes
expect_status 1 hrvm bisect status demo
assert_one_message

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
