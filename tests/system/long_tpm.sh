#!/bin/bash
# A machine with a TPM: its guest finds it, it ends with the machine however that ends, and what it remembers is kept.
. "$(dirname "$0")/lib.sh"
command -v swtpm > /dev/null || skip "needs swtpm"

BASE=$T/demo.img
demo_disk "$BASE"
base=$(base_identity "$BASE")
import_demo --tpm
at_end 'hrvm stop demo --force > /dev/null 2>&1'

tpms() { pgrep -f "^[^ ]*swtpm socket .*$T/store/demo/" || true; }
await_no_tpm() {
  local limit=$((SECONDS + 10))
  while [ -n "$(tpms)" ]; do
    [ "$SECONDS" -lt "$limit" ] || fail "swtpm still runs: $(ps -o args= -p "$(tpms | head -n 1)")"
    sleep 0.1
  done
}
memory() { sha256sum < "$HRVM_STORE/demo/tpm/tpm2-00.permall"; }

await_tpm() {
  local limit=$((SECONDS + 60))
  until [ -n "$(tpms)" ]; do
    [ "$SECONDS" -lt "$limit" ] || fail "swtpm does not run"
    sleep 0.1
  done
}

claim "the guest finds a TPM 2.0, and the machine's folder has what it remembers"
expect_status 0 hrvm show demo --json
assert_json "$T/out" '.machines[0].tpm == true'
guest_start demo "$HRVM" boot demo --console serial
guest_login demo
guest_run demo '[ $(cat /sys/class/tpm/tpm0/tpm_version_major) = 2 ] && [ -s /sys/firmware/acpi/tables/TPM2 ]'
[ -n "$(tpms)" ] || fail "swtpm does not run"
[ -s "$HRVM_STORE/demo/tpm/tpm2-00.permall" ] || fail "the TPM remembers nothing"

claim "it ends with a QEMU that is killed"
kill -9 "$(cat "$T/guest-demo/pid")"
await_no_tpm

claim "and with one that is stopped"
expect_status 0 hrvm boot demo --detach
[ -n "$(tpms)" ] || fail "swtpm does not run"
expect_status 0 hrvm stop demo --force
await_no_tpm

claim "and with one that never came to speak to it"
expect_status 1 hrvm boot demo --detach --cpu no-such-cpu
await_no_tpm

claim "a boot that is interrupted leaves none"
guest_start interrupted "$HRVM" boot demo --wait-for 'never printed' --timeout 100
await_tpm
kill -TERM "$(cat "$T/guest-interrupted/pid")"
guest_ended interrupted 20
await_no_tpm

claim "a throw-away boot has a copy, which goes with it"
before=$(memory)
expect_status 0 hrvm boot demo --ephemeral --detach
[ -n "$(tpms)" ] || fail "swtpm does not run"
[ -s "$HRVM_STORE"/demo/tmp/*/tpm/tpm2-00.permall ] || fail "it has no copy"
expect_status 0 hrvm stop demo --force
await_no_tpm
expect_status 0 hrvm list
assert_equal "$(memory)" "$before" "what the machine's TPM remembers"
assert_equal "$(ls "$HRVM_STORE/demo/tmp")" "" "throw-away folders"

claim "--print prints what is to run first"
expect_status 0 hrvm boot demo --print
assert_equal "$(wc -l < "$T/out")" 2 "lines"
assert_contains "$(head -n 1 "$T/out")" "swtpm socket --tpm2" "the first"

claim "a machine that was set to have none has none"
expect_status 0 hrvm set demo tpm=off
expect_status 0 hrvm boot demo --detach
assert_equal "$(tpms)" "" "swtpm"
expect_status 0 hrvm stop demo --force

claim "the base is unchanged"
assert_equal "$(base_identity "$BASE")" "$base" "the base"
