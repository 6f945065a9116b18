#!/bin/bash
# An hrvm that is killed with SIGKILL takes along what it watches: QEMU, and what runs beside that. What runs in the
# background stays.
. "$(dirname "$0")/lib.sh"

truncate -s 64M "$T/disk.img"
printf 'label: dos\nstart=2048, type=83\n' | sfdisk -q "$T/disk.img"
expect_status 0 hrvm import "$T/disk.img" blank --memory 256M
UUID=$(jq -r .uuid "$HRVM_STORE/blank/current")

runs() { pgrep -f "$UUID" > /dev/null; }
has_qemu() { pgrep -f "qemu-system.*-uuid $UUID" > /dev/null; }
nothing_runs() { ! runs; }

# kill_while WORDS...: hrvm WORDS is killed as soon as QEMU runs, and then nothing does.
kill_while() {
  "$HRVM" "$@" --accel tcg > "$T/boot.log" 2>&1 < /dev/null &
  local pid=$!
  await 20 "QEMU does not start: hrvm $*" has_qemu
  kill -KILL "$pid"
  wait "$pid" 2> /dev/null || true
  await 20 "it still runs, though hrvm was killed: $(pgrep -af "$UUID")" nothing_runs
  expect_status 0 hrvm list --json
  assert_json "$T/out" '.machines[0].state == "stopped" and .machines[0].runs == []'
}

claim "a boot that is waited for ends"
kill_while boot blank --wait-for nothing-says-this --timeout 100
kill_while boot blank --ephemeral --wait-for nothing-says-this --timeout 100

claim "so does one that hrvm supervises, as something is left to be done"
kill_while boot blank --ephemeral --console none

claim "what runs beside QEMU ends as well"
expect_status 0 hrvm set blank tpm=on
kill_while boot blank --wait-for nothing-says-this --timeout 100
expect_status 0 hrvm set blank tpm=off

claim "what runs in the background was not started to end with us"
expect_status 0 hrvm snapshot create blank@kept
expect_status 0 hrvm boot blank --detach --accel tcg --console none
runs || fail "it has ended with the hrvm that started it"

claim "it is kept while it runs, and goes on"
expect_status 0 hrvm snapshot create blank@live --json
assert_json "$T/out" '.live and .snapshot.consistency == "crash" and .head == "live"'
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[0].state == "running"'

claim "a snapshot runs beside its machine"
expect_status 0 hrvm boot blank@kept --detach --accel tcg --console none
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[0].state == "running" and (.machines[0].runs | length) == 2'
expect_status 1 hrvm stop blank@none
expect_status 0 hrvm pause blank@kept
expect_status 0 hrvm list --json
assert_json "$T/out" '[.machines[0].runs[].state] == ["running", "paused"]'
expect_status 0 hrvm stop blank@kept --force
expect_status 0 hrvm list --json
assert_json "$T/out" '.machines[0].state == "running" and (.machines[0].runs | length) == 1'
expect_status 0 hrvm boot blank@kept --detach --accel tcg --console none
assert_contains "$OUT" "hrvm stop blank@kept" "what boot advises"

claim "stop --all ends both, and what the throw-away run left"
expect_status 0 hrvm stop --all --force
await 20 "it does not stop" nothing_runs
assert_equal "$(ls -A "$HRVM_STORE/blank/tmp")" "" "throw-away layers"

claim "of what a guest writes to a throw-away layer no snapshot is made"
expect_status 0 hrvm boot blank --ephemeral --detach --accel tcg --console none
expect_status 1 hrvm snapshot create blank@none --json
assert_json "$T/err" '.kind == "busy" and (.message | contains("throw-away layer"))'
expect_status 0 hrvm stop blank --force
expect_status 0 hrvm boot blank@live --detach --accel tcg --console none
expect_status 0 hrvm snapshot create blank@beside
expect_status 0 hrvm stop --all --force
